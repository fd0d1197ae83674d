using FsCheck;
using FsCheck.Fluent;
using Federated.Coordinator.Runs;
using Federated.Simulation.Clock;

namespace Federated.Simulation.Tests.Clock;

public static class EventQueueTests
{
    public sealed class Order
    {
        [Fact]
        public void Clients_come_before_timers_at_the_same_time_then_first_posted_first()
        {
            var queue = new EventQueue();
            queue.Post(2, new Deadline(DeadlineKind.Scheduler, 7));
            queue.Post(2, EventKind.Arrival, 1, 10);
            queue.Post(1, new Deadline(DeadlineKind.Run, 0));
            queue.Post(2, EventKind.Online, 2, 0);
            queue.Post(2, EventKind.Failure, 0, 11);
            queue.Post(2, new Deadline(DeadlineKind.CoolDown, 8));

            var taken = Drain(queue).Select(e => (e.Time, e.Kind, e.Client, e.Number)).ToList();

            Assert.Equal(
                [
                    (1, EventKind.Deadline, -1, 0),
                    (2, EventKind.Arrival, 1, 10),
                    (2, EventKind.Online, 2, 0),
                    (2, EventKind.Failure, 0, 11),
                    (2, EventKind.Deadline, -1, 7),
                    (2, EventKind.Deadline, -1, 8),
                ],
                taken);
        }

        [Fact]
        public void Is_that_of_a_stable_sort_whatever_the_events()
        {
            var events = Gen.Choose(0, 9).Zip(Gen.Choose(0, 5)).ListOf();
            Prop.ForAll(events.ToArbitrary(), posted =>
            {
                var queue = new EventQueue();
                for (var i = 0; i < posted.Count; i++)
                {
                    var (time, kind) = posted[i];
                    if ((EventKind)kind == EventKind.Deadline)
                    {
                        queue.Post(time, new Deadline(DeadlineKind.Scheduler, i));
                    }
                    else
                    {
                        queue.Post(time, (EventKind)kind, 0, i);
                    }
                }

                var expected = Enumerable.Range(0, posted.Count)
                    .OrderBy(i => posted[i].Item1).ThenBy(i => (EventKind)posted[i].Item2 == EventKind.Deadline).Select(i => (long)i);
                Assert.Equal(expected, Drain(queue).Select(e => e.Number));
            }).Check(Config.QuickThrowOnFailure.WithReplay(20260101UL, 3UL));
        }

        [Fact]
        public void Holds_when_events_are_posted_while_others_are_taken()
        {
            var queue = new EventQueue();
            for (var i = 0; i < 1000; i++)
            {
                queue.Post(i * 7919 % 1000, EventKind.Online, i, 0);
            }

            var last = 0.0;
            var count = 0;
            while (queue.TryTake(out var next))
            {
                Assert.True(next.Time >= last, $"{next.Time} came after {last}.");
                last = next.Time;
                if (++count <= 5000)
                {
                    queue.Post(next.Time + (count % 13), EventKind.Arrival, next.Client, 0);
                }
            }

            Assert.Equal(6000, count);
        }
    }

    public sealed class Time
    {
        [Fact]
        public void Is_that_of_the_event_taken_last()
        {
            var queue = new EventQueue();
            queue.Post(1.5, EventKind.Online, 0, 0);
            queue.Post(4, EventKind.Online, 0, 0);
            Assert.Equal(0, queue.Now);
            queue.TryTake(out _);
            Assert.Equal(1.5, queue.Now);
        }

        [Theory]
        [InlineData(2.9)]
        [InlineData(double.NaN)]
        [InlineData(double.NegativeInfinity)]
        public void Never_goes_back(double time)
        {
            var queue = new EventQueue();
            queue.Post(3, EventKind.Online, 0, 0);
            queue.TryTake(out _);
            Assert.Throws<ArgumentOutOfRangeException>(() => queue.Post(time, EventKind.Online, 0, 0));
        }

        [Fact]
        public void Of_infinity_never_comes()
        {
            var queue = new EventQueue();
            queue.Post(double.PositiveInfinity, EventKind.Offline, 0, 0);
            Assert.False(queue.TryTake(out _));
        }
    }

    private static IEnumerable<TimedEvent> Drain(EventQueue queue)
    {
        while (queue.TryTake(out var next))
        {
            yield return next;
        }
    }
}

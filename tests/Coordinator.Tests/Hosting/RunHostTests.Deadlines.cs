using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

/// <content>What time brings.</content>
public abstract partial class RunHostTests
{
    public sealed class Deadlines : RunHostTests
    {
        [Fact]
        public async Task EndALeaseOnTheWallClockAndTellItsWatcher()
        {
            Factory = new TestFactory { ClientTimeout = 100 };
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var client = await JoinAsync(host, "a");
            var lease = await GrantedAsync(host.CheckInAsync(client, Long, default));
            Assert.Equal((AssignmentStanding.Open, 100), ((await host.WatchAsync(lease.Id, client, TimeSpan.Zero, default)).State is var open ? (open.Standing, open.SecondsLeft) : default));
            var watch = host.WatchAsync(lease.Id, client, TimeSpan.FromSeconds(300), default);
            await host.SaveAsync();
            time.Advance(101);
            Assert.Equal(AssignmentStanding.Cancelled, (await watch).State.Standing);
            Assert.Equal(1, host.View.Counters.Lost);
            Assert.Equal(AssignmentStanding.Unknown, (await host.WatchAsync(new AssignmentId(7), client, TimeSpan.Zero, default)).State.Standing);
            var stranger = await JoinAsync(host, "stranger");
            Assert.Equal(AssignmentStanding.Cancelled, (await host.WatchAsync(lease.Id, client, TimeSpan.Zero, default)).State.Standing);
            Assert.Equal(AssignmentStanding.Unknown, (await host.WatchAsync(lease.Id, stranger, TimeSpan.Zero, default)).State.Standing);
        }

        [Fact]
        public async Task ThatPassedWhileTheCoordinatorWasDownLeaveTimeToComeBack()
        {
            Factory = new TestFactory { ClientTimeout = 100 };
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var lease = await GrantedAsync(host.CheckInAsync(await JoinAsync(host, "a"), Long, default));
            Crash();
            time.Advance(3600);
            var again = await OpenAsync(TestFactory.Buffered(1, 1));
            time.Advance(20);
            Assert.IsType<UpdateTaken>(await again.SubmitAsync(TestFactory.Submission(lease), default));
            Assert.True(again.View.Now >= 3620, $"The run's clock stands at {again.View.Now}.");
        }

        /// <summary>Of a round it is held back by as long as nobody could report, and no longer.</summary>
        [Fact]
        public async Task OfARoundLeaveAsMuchTimeAsTheCoordinatorWasDown()
        {
            Factory = new TestFactory { RoundDeadline = 100 };
            var host = await OpenAsync(TestFactory.Synchronous(3));
            var polls = new List<Task<CheckInResult>>();
            foreach (var name in (string[])["a", "b", "c"])
            {
                polls.Add(host.CheckInAsync(await JoinAsync(host, name), Long, default));
            }

            var leases = new List<Assignment>();
            foreach (var poll in polls)
            {
                leases.Add(await GrantedAsync(poll));
            }

            time.Advance(95);
            foreach (var lease in leases.Take(2))
            {
                Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(lease), default));
            }

            Crash();
            time.Advance(3);
            var again = await OpenAsync(TestFactory.Synchronous(3));
            time.Advance(2.5);
            await again.SaveAsync();
            Assert.Equal(0, again.View.Version); // 100 s are over, and it was down for three of them.
            time.Advance(1);
            await again.SaveAsync();
            Assert.Equal(1, again.View.Version);
        }

        [Fact]
        public async Task OfAClientThatWaitedAndDoesNotComeBackPassesAfterACrashToo()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            await GrantedAsync(host.CheckInAsync(await JoinAsync(host, "a"), Long, default));
            Assert.IsType<Waiting>(await host.CheckInAsync(await JoinAsync(host, "b"), TimeSpan.Zero, default));
            Assert.Equal(1, host.View.WaitingClients);
            Crash();
            var again = await OpenAsync(TestFactory.Buffered(1, 1));
            Assert.Equal(1, again.View.WaitingClients);
            time.Advance(Options.AbsenceGrace + 1);
            await again.SaveAsync();
            Assert.Equal(0, again.View.WaitingClients);
        }

        [Fact]
        public async Task StillPassWhenTheClockWasSetBackWhileTheCoordinatorWasDown()
        {
            Factory = new TestFactory { ClientTimeout = 100 };
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            time.Advance(50);
            await GrantedAsync(host.CheckInAsync(await JoinAsync(host, "a"), Long, default));
            Assert.Equal(50, host.View.Now);
            Crash();
            time.Jump(TimeSpan.FromDays(-1));
            var again = await OpenAsync(TestFactory.Buffered(1, 1));
            Assert.Equal(50, again.View.Now);
            time.Advance(99);
            await again.SaveAsync();
            Assert.Equal(0, again.View.Counters.Lost);
            time.Advance(2);
            await again.SaveAsync();
            Assert.Equal((1, 151), (again.View.Counters.Lost, again.View.Now));
        }

        [Fact]
        public async Task DoNotMoveWhenSomebodySetsTheClock()
        {
            Factory = new TestFactory { ClientTimeout = 100 };
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var lease = await GrantedAsync(host.CheckInAsync(await JoinAsync(host, "a"), Long, default));
            time.Jump(TimeSpan.FromDays(1));
            time.Advance(50);
            Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(lease), default));
        }
    }
}

using Federated.Simulation.Devices;

namespace Federated.Simulation.Tests.Devices;

public static class AvailabilityTests
{
    private const int Clients = 200;

    public static TheoryData<AvailabilityOptions> Kinds => new(
        new DutyCycleAvailability { PeriodSeconds = 100, OnlineShare = 0.3 },
        new DutyCycleAvailability { PeriodSeconds = 100, OnlineShare = 0.999 },
        new DutyCycleAvailability { PeriodSeconds = 100, OnlineShare = 0.5, Together = true },
        new DiurnalAvailability(),
        new DiurnalAvailability { OnlineHours = 23, JitterHours = 2 },
        new PoissonAvailability { ArrivalsPerSecond = 0.5, StaySeconds = 30 },
        new PoissonAvailability { ArrivalsPerSecond = 20, StaySeconds = 30 });

    public sealed class Windows
    {
        [Theory]
        [MemberData(nameof(Kinds), MemberType = typeof(AvailabilityTests))]
        public void Follow_one_another_without_overlap(AvailabilityOptions options)
        {
            for (var client = 0; client < 20; client++)
            {
                var time = 0.0;
                for (var i = 0; i < 50; i++)
                {
                    var window = options.WindowAfter(1, client, Clients, time);
                    Assert.True(window.End > time, $"Client {client}: the window {window} ends before {time}.");
                    Assert.True(window.Start < window.End, $"Client {client}: the window {window} is empty.");
                    time = window.End;
                }
            }
        }

        [Theory]
        [MemberData(nameof(Kinds), MemberType = typeof(AvailabilityTests))]
        public void Do_not_depend_on_what_was_asked_before(AvailabilityOptions options)
        {
            // Whether a client is online at an instant is the same from every earlier question.
            for (var client = 0; client < 20; client++)
            {
                var first = options.WindowAfter(1, client, Clients, 0);
                var second = options.WindowAfter(1, client, Clients, first.End);
                var inside = (Math.Max(second.Start, first.End) + second.End) / 2;
                Assert.Equal(second.End, options.WindowAfter(1, client, Clients, inside).End, 1e-6);
                if (second.Start > first.End)
                {
                    var gap = (first.End + second.Start) / 2;
                    Assert.Equal(second.Start, options.WindowAfter(1, client, Clients, gap).Start, 1e-6);
                }
            }
        }
    }

    public sealed class DutyCycle
    {
        [Fact]
        public void Clients_are_online_for_their_share_of_the_time()
        {
            // 200 clients at 50 instants; each is online with probability 0.3. By Hoeffding over the 200 independent phases the mean is
            // within 0.15 of it except with probability below 2·exp(−2·200·0.15²) = 2.5e-4; the seed is fixed.
            var options = new DutyCycleAvailability { PeriodSeconds = 100, OnlineShare = 0.3 };
            var online = 0;
            for (var client = 0; client < Clients; client++)
            {
                for (var i = 0; i < 50; i++)
                {
                    online += options.WindowAfter(1, client, Clients, i * 17).Start <= i * 17 ? 1 : 0;
                }
            }

            Assert.InRange(online / (50.0 * Clients), 0.15, 0.45);
        }

        [Fact]
        public void Of_one_client_is_exactly_periodic()
        {
            var options = new DutyCycleAvailability { PeriodSeconds = 100, OnlineShare = 0.25, Together = true };
            Assert.Equal(new OnlineWindow(0, 25), options.WindowAfter(1, 3, Clients, 0));
            Assert.Equal(new OnlineWindow(100, 125), options.WindowAfter(1, 3, Clients, 25));
            Assert.Equal(new OnlineWindow(300, 325), options.WindowAfter(1, 3, Clients, 324.9));
        }
    }

    public sealed class Poisson
    {
        [Fact]
        public void Clients_arrive_at_the_rate_asked()
        {
            // 2 arrivals per second over 10,000 s: 20,000 expected, standard deviation 141; stays of 1 ms merge next to none. Five
            // deviations: a false alarm has probability below 6e-7; the seed is fixed.
            var options = new PoissonAvailability { ArrivalsPerSecond = 2, StaySeconds = 0.001 };
            var arrivals = 0;
            for (var client = 0; client < Clients; client++)
            {
                for (var window = options.WindowAfter(1, client, Clients, 0); window.Start < 10_000; window = options.WindowAfter(1, client, Clients, window.End))
                {
                    arrivals++;
                }
            }

            Assert.InRange(arrivals, 20_000 - 707, 20_000 + 707);
        }
    }

    public sealed class Diurnal
    {
        [Fact]
        public void More_clients_are_online_at_the_peak_than_twelve_hours_later()
        {
            var options = new DiurnalAvailability { PeakHour = 2, SpreadHours = 3, OnlineHours = 8 };
            int Online(double hour) => Enumerable.Range(0, Clients).Count(c =>
                options.WindowAfter(1, c, Clients, hour * 3600).Start <= hour * 3600);

            Assert.True(Online(24 + 2) > 0.7 * Clients, $"{Online(26)} of {Clients} are online at the peak.");
            Assert.True(Online(24 + 14) < 0.1 * Clients, $"{Online(38)} of {Clients} are online twelve hours later.");
        }
    }
}

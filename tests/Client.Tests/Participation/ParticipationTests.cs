using Federated.Aggregation.Randomness;
using Federated.Client.Participation;
using Federated.Client.Session;

namespace Federated.Client.Tests.Participation;

public static class ParticipationTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public sealed class ADailySchedule
    {
        [Theory]
        [InlineData("08:00", "18:00", 0)]
        [InlineData("22:00", "06:00", 10)]
        [InlineData("12:00", "13:00", 0)]
        [InlineData("11:00", "12:00", 23)]
        [InlineData("18:00", "13:00", 0)]
        public void OpensWhenItSays(string from, string to, double hours)
        {
            var schedule = new DailySchedule(TimeOnly.Parse(from), TimeOnly.Parse(to), TimeZoneInfo.Utc);
            Assert.Equal(TimeSpan.FromHours(hours), schedule.UntilReady(Noon));
            Assert.True(schedule.UntilReady(Noon + TimeSpan.FromHours(hours)) <= TimeSpan.Zero);
        }

        [Fact]
        public void MeansTheDevicesClock()
        {
            var zone = TimeZoneInfo.CreateCustomTimeZone("east", TimeSpan.FromHours(9), "east", "east");
            Assert.Equal(TimeSpan.FromHours(1), new DailySchedule(new TimeOnly(22, 0), new TimeOnly(6, 0), zone).UntilReady(Noon)); // It is 21:00 there.
        }

        [Fact]
        public void ThatIsNeverOpenIsRefused() =>
            Assert.Throws<ClientException>(() => new DailySchedule(new TimeOnly(8, 0), new TimeOnly(8, 0), TimeZoneInfo.Utc));
    }

    public sealed class PoissonArrival
    {
        [Fact]
        public void TimesAreExponential()
        {
            // Mean 1/λ and variance 1/λ²: over 20,000 draws both are within 5 % but once in about 10⁹ (mean) and 10⁵ (variance) seeds.
            var policy = new PoissonArrivals(12, new SeededRandom(5));
            var now = Noon;
            var times = new List<double>();
            for (var i = 0; i < 20_000; i++)
            {
                var wait = policy.UntilReady(now);
                times.Add(wait.TotalHours);
                now += wait;
                Assert.True(policy.UntilReady(now) <= TimeSpan.Zero);
                policy.OnTaskEnded(now);
            }

            var mean = times.Average();
            Assert.InRange(mean * 12, 0.95, 1.05);
            Assert.InRange(times.Average(t => (t - mean) * (t - mean)) * 144, 0.9, 1.1);
        }

        [Fact]
        public void WaitsForItsTaskToEnd()
        {
            var policy = new PoissonArrivals(60, new SeededRandom(1));
            var wait = policy.UntilReady(Noon);
            Assert.Equal(wait - TimeSpan.FromSeconds(1), policy.UntilReady(Noon + TimeSpan.FromSeconds(1)));
        }
    }

    public sealed class Effort
    {
        [Theory]
        [InlineData(100, 10, 10)]
        [InlineData(101, 10, 11)]
        [InlineData(100, 0, 1)]
        [InlineData(0, 10, 1)]
        public void IsOnePassUnlessSaidOtherwise(double examples, int batchSize, int steps)
        {
            IParticipationPolicy policy = new AlwaysAvailable();
            Assert.Equal(steps, policy.ChooseSteps(new EffortQuestion(examples, batchSize, null)));
        }

        [Fact]
        public void IsAtLeastOneStep() =>
            Assert.Equal(1, new CustomParticipation(_ => TimeSpan.Zero) { Effort = _ => -3 }.ChooseSteps(new EffortQuestion(10, 5, null)));
    }

    public sealed class Backoffs
    {
        [Fact]
        public void DoubleUpToTheirCapAndLeaveARandomHalfOut()
        {
            var backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60), new SeededRandom(1));
            for (var attempt = 1; attempt < 100; attempt++)
            {
                var full = Math.Min(60, Math.Pow(2, attempt - 1));
                Assert.InRange(backoff.After(attempt, null).TotalSeconds, full / 2, full);
            }
        }

        [Fact]
        public void AreNeverShorterThanTheCoordinatorAsks()
        {
            var backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60), new SeededRandom(1));
            var waits = Enumerable.Range(1, 200).Select(_ => backoff.After(1, TimeSpan.FromSeconds(100)).TotalSeconds).ToList();
            Assert.InRange(waits.Min(), 100, 102);
            Assert.InRange(waits.Max(), 115, 126);
        }
    }
}

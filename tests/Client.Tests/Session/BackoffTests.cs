using Federated.Aggregation.Randomness;
using Federated.Client.Session;

namespace Federated.Client.Tests.Session;

public static class BackoffTests
{
    private static Backoff Create() => new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60), new SeededRandom(5));

    public sealed class A_wait
    {
        [Fact]
        public void Doubles_up_to_its_cap_and_leaves_out_half_at_most()
        {
            var backoff = Create();
            foreach (var (full, attempt) in ((double[])[1, 2, 4, 8, 16, 32, 60, 60]).Select((full, i) => (full, i + 1)))
            {
                Assert.InRange(backoff.After(attempt, null).TotalSeconds, full / 2, full);
            }

            Assert.InRange(backoff.After(int.MaxValue, null).TotalSeconds, 30, 60);
        }

        [Fact]
        public void Is_no_shorter_because_the_coordinator_asks_for_less()
        {
            var (alone, asked) = (Create(), Create());
            for (var attempt = 1; attempt < 12; attempt++)
            {
                Assert.Equal(alone.After(attempt, null), asked.After(attempt, TimeSpan.FromMilliseconds(1)));
            }
        }

        [Fact]
        public void Is_as_long_as_the_coordinator_asks_and_a_quarter_more_at_most()
        {
            var backoff = Create();
            for (var i = 0; i < 100; i++)
            {
                Assert.InRange(backoff.After(1, TimeSpan.FromSeconds(30)).TotalSeconds, 30, 37.5);
            }
        }
    }
}

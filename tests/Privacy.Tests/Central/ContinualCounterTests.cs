using Federated.Privacy.Central.Counters;
using Federated.Privacy.Central.Factorizations;
using Federated.Privacy.Randomness;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Central;

public static class ContinualCounterTests
{
    public sealed class Every_counter
    {
        public static TheoryData<string> Kinds => ["pure", "gaussian", "hybrid", "sqrt"];

        [Theory]
        [MemberData(nameof(Kinds))]
        public void Is_unbiased_with_its_stated_variance_at_every_step(string kind)
        {
            const int n = 13, repetitions = 4000;
            using var random = new SimulationRandom(91);
            var samples = Enumerable.Range(0, n).Select(_ => new double[repetitions]).ToArray();
            for (var r = 0; r < repetitions; r++)
            {
                var counter = Create(kind, n, random);
                for (var t = 0; t < n; t++)
                {
                    samples[t][r] = counter.Add(t % 3);
                }
            }

            var probe = Create(kind, n, random);
            var sum = 0;
            for (var t = 0; t < n; t++)
            {
                sum += t % 3;
                Statistics.AssertMean(samples[t], sum, probe.Variance(t + 1));
                Statistics.AssertVariance(samples[t], sum, probe.Variance(t + 1), kurtosis: 6);
            }
        }

        [Theory]
        [MemberData(nameof(Kinds))]
        public void Refuses_values_beyond_the_bound_that_noise_was_scaled_to(string kind)
        {
            using var random = new SimulationRandom(92);
            var counter = Create(kind, 4, random);
            Assert.Throws<PrivacyException>(() => counter.Add(3));
            Assert.Throws<PrivacyException>(() => counter.Add(-1));
        }

        private static IContinualCounter Create(string kind, int n, IRandomSource random) => kind switch
        {
            "pure" => TreeCounter.Pure(2, n, 2, 1, random),
            "gaussian" => TreeCounter.Gaussian(1.5, n, 2, Participation.Once, random),
            "hybrid" => new HybridCounter(2, 2, random),
            _ => new FactorizationCounter(ToeplitzFactorization.SquareRoot(n), 2, 2, Participation.Once, random),
        };
    }

    public sealed class The_budget
    {
        [Theory]
        [InlineData(1)]
        [InlineData(7)]
        [InlineData(8)]
        [InlineData(1000)]
        public void Of_the_tree_is_split_over_the_nodes_that_a_step_touches(int n)
        {
            // ε_node·(nodes touched) ≤ ε: the node law's decay is read off its variance.
            using var random = new SimulationRandom(93);
            var counter = TreeCounter.Pure(1, n, 3, 2, random);
            var levels = (int)Math.Floor(Math.Log2(n)) + 1;
            var expected = DiscreteLaplace.ForEpsilon(1, (ulong)(3 * 2 * levels));
            Assert.Equal(expected.Variance, counter.Variance(1), 1e-9);
            Assert.True(expected.Decay * 3 * 2 * levels <= 1);
        }

        [Fact]
        public void Of_the_hybrid_counter_is_spent_in_one_epoch_only()
        {
            using var random = new SimulationRandom(94);
            var counter = new HybridCounter(1, 1, random);
            // Step 1 is epoch 0 (one node), steps 2–3 epoch 1 (two levels), steps 4–7 epoch 2 (three).
            Assert.Equal(DiscreteLaplace.ForEpsilon(1, 1).Variance, counter.Variance(1), 1e-9);
            Assert.Equal(DiscreteLaplace.ForEpsilon(1, 1).Variance + DiscreteLaplace.ForEpsilon(1, 2).Variance, counter.Variance(3), 1e-9);
            Assert.Equal(
                DiscreteLaplace.ForEpsilon(1, 1).Variance + DiscreteLaplace.ForEpsilon(1, 2).Variance + (2 * DiscreteLaplace.ForEpsilon(1, 3).Variance),
                counter.Variance(6),
                1e-9);
        }
    }

    public sealed class A_counter_of_a_known_horizon
    {
        [Fact]
        public void Stops_at_it()
        {
            using var random = new SimulationRandom(95);
            var counter = TreeCounter.Pure(1, 2, 1, 1, random);
            counter.Add(1);
            counter.Add(0);
            Assert.Throws<PrivacyException>(() => counter.Add(1));
        }

        [Fact]
        public void Counts_exactly_when_the_budget_is_huge()
        {
            using var random = new SimulationRandom(96);
            var counter = TreeCounter.Pure(10_000, 100, 5, 1, random);
            var hybrid = new HybridCounter(10_000, 5, random);
            long sum = 0;
            for (var t = 0; t < 100; t++)
            {
                sum += t % 6;
                Assert.Equal(sum, counter.Add(t % 6));
                Assert.Equal(sum, hybrid.Add(t % 6));
            }
        }
    }
}

using Federated.Privacy.Central.Factorizations;
using Federated.Privacy.Randomness;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Central;

public static partial class FactorizationTests
{
    public static TheoryData<string> Names => [.. FactorizationNames.All];

    public sealed class Noise_of_every_factorisation
    {
        public static TheoryData<string> Names => FactorizationTests.Names;

        [Theory]
        [MemberData(nameof(Names))]
        public void Has_the_covariance_of_B(string name)
        {
            // The increments are linear in the normals drawn; d independent columns give the covariance of the prefix sums.
            const int n = 16, d = 20_000;
            var factorization = FactorizationNames.Create(name, n, bands: 4, buffers: 3);
            using var random = new SimulationRandom(61);
            var noise = factorization.Start<float>(d, random);
            var prefixes = new double[n][];
            var running = new double[d];
            var increment = new float[d];
            for (var t = 0; t < n; t++)
            {
                noise.Next(increment);
                for (var j = 0; j < d; j++)
                {
                    running[j] += increment[j];
                }

                prefixes[t] = [.. running];
            }

            var variances = factorization.ErrorVariances();
            for (var t = 0; t < n; t++)
            {
                Statistics.AssertMean(prefixes[t], 0, variances[t]);
                Statistics.AssertVariance(prefixes[t], 0, variances[t]);
            }

            var expected = Covariance(factorization, n);
            for (var s = 0; s < n; s++)
            {
                for (var t = s + 1; t < n; t++)
                {
                    var sum = 0.0;
                    for (var j = 0; j < d; j++)
                    {
                        sum += prefixes[s][j] * prefixes[t][j];
                    }

                    var bound = Statistics.Z * Math.Sqrt(((variances[s] * variances[t]) + (expected[s, t] * expected[s, t])) / d);
                    Assert.True(Math.Abs((sum / d) - expected[s, t]) < bound, $"cov({s},{t}) is {sum / d}, not {expected[s, t]}");
                }
            }
        }

        [Theory]
        [MemberData(nameof(Names))]
        public void Continues_from_a_checkpoint(string name)
        {
            const int n = 12, d = 5;
            var factorization = FactorizationNames.Create(name, n, bands: 4, buffers: 3);
            using var random = new SimulationRandom(62);
            var noise = factorization.Start<double>(d, random);
            var increment = new double[d];
            for (var t = 0; t < 7; t++)
            {
                noise.Next(increment);
            }

            using var a = new SimulationRandom(63);
            using var b = new SimulationRandom(63);
            var first = factorization.Start<double>(d, a);
            var second = factorization.Start<double>(d, b);
            first.Restore(noise.Step, noise.Buffers);
            second.Restore(noise.Step, [.. noise.Buffers.Select(x => (ReadOnlyMemory<double>)x.ToArray())]);
            var other = new double[d];
            while (first.Step < n)
            {
                first.Next(increment);
                second.Next(other);
                Assert.Equal(increment, other);
            }

            Assert.Throws<PrivacyException>(() => first.Next(increment));
        }

        [Theory]
        [MemberData(nameof(Names))]
        public void Is_at_least_as_sensitive_the_more_a_client_takes_part(string name)
        {
            var factorization = FactorizationNames.Create(name, 48, bands: 8, buffers: 3);
            var last = 0.0;
            for (var k = 1; k <= 6; k++)
            {
                var sensitivity = factorization.Sensitivity(new Participation(k, 8));
                Assert.True(sensitivity >= last - 1e-12);
                last = sensitivity;
            }
        }
    }

    public sealed class Sensitivity
    {
        [Theory]
        [InlineData(FactorizationNames.Identity)]
        [InlineData(FactorizationNames.SquareRoot)]
        [InlineData(FactorizationNames.BandedSquareRoot)]
        [InlineData(FactorizationNames.OptimizedBanded)]
        [InlineData(FactorizationNames.BufferedLinear)]
        [InlineData(FactorizationNames.Tree)]
        public void Equals_the_largest_over_all_patterns(string name)
        {
            for (var n = 3; n <= 12; n++)
            {
                var factorization = FactorizationNames.Create(name, n, bands: 3, buffers: 2);
                var strategy = Strategy(factorization, n);
                foreach (var participation in new[] { Participation.Once, new(2, 3), new(4, 2), new(100, 1), new(3, 4) })
                {
                    var worst = 0.0;
                    for (var pattern = 1; pattern < 1 << n; pattern++)
                    {
                        worst = Math.Max(worst, Admissible(pattern, n, participation) ? Norm(strategy, pattern, n) : 0);
                    }

                    Assert.Equal(worst, factorization.Sensitivity(participation), 1e-9);
                }
            }
        }

        [Fact]
        public void Is_bounded_from_above_where_coefficients_are_signed_or_grow()
        {
            var factorization = new ToeplitzFactorization("test", 8, [1, -0.5, 0.7, 0.1]);
            var strategy = Strategy(factorization, 8);
            for (var pattern = 1; pattern < 256; pattern++)
            {
                if (Admissible(pattern, 8, new Participation(3, 2)))
                {
                    Assert.True(Norm(strategy, pattern, 8) <= factorization.Sensitivity(new Participation(3, 2)) + 1e-12);
                }
            }
        }

        [Fact]
        public void Of_a_tree_is_within_its_level_wise_bound()
        {
            foreach (var (n, k, b) in new[] { (64, 4, 16), (100, 7, 9), (1000, 10, 100), (37, 5, 3) })
            {
                var exact = TreeSensitivity.Exact(n, new Participation(k, b));
                Assert.NotNull(exact);
                Assert.True(exact <= TreeSensitivity.UpperBound(n, new Participation(k, b)));
            }
        }

        private static bool Admissible(int pattern, int n, Participation participation)
        {
            int last = -1000, count = 0;
            for (var t = 0; t < n; t++)
            {
                if ((pattern >> t & 1) != 0)
                {
                    count++;
                    if (count > participation.Count || t - last < participation.Separation)
                    {
                        return false;
                    }

                    last = t;
                }
            }

            return true;
        }

        private static double Norm(double[][] strategy, int pattern, int n)
        {
            double square = 0;
            foreach (var row in strategy)
            {
                double sum = 0;
                for (var t = 0; t < n; t++)
                {
                    sum += (pattern >> t & 1) != 0 ? row[t] : 0;
                }

                square += sum * sum;
            }

            return Math.Sqrt(square);
        }
    }

    public sealed class Trees
    {
        [Fact]
        public void Of_a_client_order_kept_over_epochs_have_the_reference_sensitivity()
        {
            // tree_dpftrl.csv, kind same_order (google-research/DP-FTRL privacy.py).
            foreach (var (steps, epochs, completed, expected) in new (int, int[], bool, long)[]
                     {
                         (100, [5], false, 50), (100, [2, 3], false, 53), (240, [1, 1, 1, 1, 1], true, 44),
                         (240, [1, 1, 1, 1, 1], false, 40), (16, [4], false, 44), (10, [1, 1, 1], false, 12),
                     })
            {
                Assert.Equal(expected, TreeSensitivity.SameOrder(steps, epochs, completed));
            }
        }

        [Theory]
        [InlineData(1, 1)]
        [InlineData(7, 3)]
        [InlineData(8, 4)]
        [InlineData(100, 7)]
        [InlineData(1000, 10)]
        [InlineData(2048, 12)]
        [InlineData(10000, 14)]
        public void Of_one_participation_touch_the_completed_nodes_only(int steps, int squared) =>
            Assert.Equal(squared, TreeSensitivity.Squared(steps, Participation.Once));

        [Fact]
        public void Weigh_own_noise_by_the_inverse_variances()
        {
            Assert.Equal(1, TreeFactorization.OwnWeight(0));
            Assert.Equal(2 / 3.0, TreeFactorization.OwnWeight(1), 1e-15);
            Assert.Equal(4 / 7.0, TreeFactorization.OwnWeight(2), 1e-15);
        }
    }
}

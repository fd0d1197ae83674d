using Federated.Privacy.Bandits;
using Federated.Privacy.Numerics;
using Federated.Privacy.Randomness;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Bandits;

public static class LinearBanditTests
{
    private static readonly LinearBanditOptions Options = new() { Dimension = 3, Silos = 4, BatchUsers = 10, Batches = 21, Ridge = 0.5 };

    private static double[] Unit(SimulationRandom random, int dimension)
    {
        var x = new double[dimension];
        GaussianSampler.Fill(x.AsSpan(), 1, random);
        var norm = Math.Sqrt(x.Sum(v => v * v));
        return [.. x.Select(v => v / norm)];
    }

    public sealed class Batch_sums
    {
        [Theory]
        [InlineData(BanditTrust.None, 1, 1e-9)]
        [InlineData(BanditTrust.Central, 1e6, 0.1)]
        [InlineData(BanditTrust.Silo, 1e6, 0.1)]
        public void Without_noise_are_the_exact_sums_after_every_batch(BanditTrust trust, double epsilon, double tolerance)
        {
            var sums = new PrivateBatchSums(Options with { Trust = trust, Epsilon = epsilon }, new SimulationRandom(701));
            using var random = new SimulationRandom(702);
            var (exact, one) = (new double[BanditStatistics.Length(3)], new double[BanditStatistics.Length(3)]);
            for (var batch = 1; batch <= 21; batch++)
            {
                for (var user = 0; user < 40; user++)
                {
                    var (x, r) = (Unit(random, 3), random.NextDouble());
                    sums.Add(user % 4, x, r);
                    BanditStatistics.Write(x, r, one);
                    System.Numerics.Tensors.TensorPrimitives.Add(exact, one, exact);
                }

                Assert.All(sums.Publish().ToArray().Zip(exact), p => Assert.Equal(p.Second, p.First, tolerance));
            }

            Assert.Throws<PrivacyException>(() => sums.Add(0, [1, 0, 0], 1));
        }

        [Theory]
        [InlineData(BanditTrust.Central)]
        [InlineData(BanditTrust.Silo)]
        [InlineData(BanditTrust.Shuffle)]
        public void Have_the_noise_that_they_state(BanditTrust trust)
        {
            var options = Options with { Trust = trust, Batches = 3, BatchUsers = 25, ShuffleLevels = 256 };
            using var random = new SimulationRandom(703);
            var errors = new List<double>();
            var deviation = 0.0;
            for (var trial = 0; trial < (trust == BanditTrust.Shuffle ? 60 : 400); trial++)
            {
                var sums = new PrivateBatchSums(options, random);
                for (var batch = 1; batch <= 3; batch++)
                {
                    for (var user = 0; user < 100; user++)
                    {
                        sums.Add(user % 4, [0.6, 0, 0.8], 0.5);
                    }

                    var published = sums.Publish().ToArray();
                    if (batch == 3)
                    {
                        double[] exact = [0.36, 0, Math.Sqrt(2) * 0.48, 0, 0, 0.64, 0.3, 0, 0.4];
                        errors.AddRange(published.Zip(exact, (p, e) => p - (300 * e)));
                        deviation = sums.Deviation;
                    }
                }
            }

            // Two nodes; P_VEC's stated rounding is the worst case, a few per cent of the noise at most.
            var ratio = errors.Sum(e => e * e) / errors.Count / (deviation * deviation);
            var limit = Statistics.Z * Math.Sqrt(2.0 / errors.Count);
            Assert.InRange(ratio, 1 - limit - (trust == BanditTrust.Shuffle ? 0.05 : 0), 1 + limit);
        }

        [Theory]
        [InlineData(1)]
        [InlineData(7)]
        [InlineData(8)]
        [InlineData(1000)]
        public void Put_a_user_into_no_more_nodes_than_levels(int batches)
        {
            var levels = (int)Math.Floor(Math.Log2(batches)) + 1;
            Assert.Equal(levels, BatchTree.Levels(batches));
            Assert.Equal(levels, Enumerable.Range(1, batches).Max(b => BatchTree.Heights(b, batches).Count()));

            // And the nodes of a prefix cover each of its batches once.
            for (var t = 1; t <= Math.Min(batches, 40); t++)
            {
                var covered = new int[t + 1];
                for (var (h, end) = (0, t); end > 0; h++)
                {
                    if ((t >> h & 1) != 0)
                    {
                        var from = end - (1 << h);
                        for (var b = from + 1; b <= end; b++)
                        {
                            covered[b]++;
                            Assert.Contains(h, BatchTree.Heights(b, batches));
                        }

                        end = from;
                    }
                }

                Assert.All(covered.Skip(1), c => Assert.Equal(1, c));
            }
        }

        [Fact]
        public void Of_silos_have_the_noise_of_all_silos()
        {
            var central = new PrivateBatchSums(Options with { Trust = BanditTrust.Central }, new SimulationRandom(704));
            var silo = new PrivateBatchSums(Options with { Trust = BanditTrust.Silo }, new SimulationRandom(704));
            var shuffle = new PrivateBatchSums(Options with { Trust = BanditTrust.Shuffle, ShuffleLevels = 512 }, new SimulationRandom(704));
            central.Publish();
            silo.Publish();
            Assert.Equal(2 * central.Deviation, silo.Deviation, 1e-9);

            // The shuffled sum is near the trusted server's: 2√2 against √6 of sensitivity, and rounding.
            Assert.InRange(shuffle.NodeDeviation, central.NodeDeviation, 1.4 * central.NodeDeviation);
            Assert.Null(new PrivateBatchSums(Options with { Trust = BanditTrust.None }, new SimulationRandom(704)).Guarantee);
            Assert.Equal((TrustModel.Shuffle, TrustModel.Central), (shuffle.Guarantee!.Trust, central.Guarantee!.Trust));
            Assert.Equal(TrustModel.Silo, silo.Guarantee!.Trust); // Not local: the silo sees what its users did.
            Assert.Contains(", silo trust,", silo.Guarantee.ToString(), StringComparison.Ordinal);
        }
    }

    public sealed class Statistics_of_a_user
    {
        [Fact]
        public void Are_within_bound_and_sensitivity_and_reach_them()
        {
            using var random = new SimulationRandom(711);
            var (a, b, worst, largest) = (new double[9], new double[9], 0.0, 0.0);
            for (var i = 0; i < 20_000; i++)
            {
                var x = Unit(random, 3);
                var y = i % 2 == 0 ? x : Unit(random, 3);
                BanditStatistics.Write([.. x.Select(v => 3 * v)], 5, a);
                BanditStatistics.Write(y, i % 3 == 0 ? -5 : 5 * random.NextDouble(), b);
                largest = Math.Max(largest, Math.Sqrt(a.Sum(v => v * v)));
                worst = Math.Max(worst, Math.Sqrt(a.Zip(b, (u, v) => (u - v) * (u - v)).Sum()));
            }

            Assert.InRange(largest, 0.999 * BanditStatistics.Bound, BanditStatistics.Bound + 1e-9);
            Assert.InRange(worst, 0.8 * BanditStatistics.Sensitivity, BanditStatistics.Sensitivity);
        }

        [Fact]
        public void Unpack_to_the_matrix_and_the_vector()
        {
            var statistics = new double[9];
            BanditStatistics.Write([0.6, 0, 0.8], 0.5, statistics);
            Assert.All(BanditStatistics.Matrix(statistics, 3)[0].Zip((double[])[0.36, 0, 0.48]), p => Assert.Equal(p.Second, p.First, 1e-6));
            Assert.All(BanditStatistics.Vector(statistics, 3).Zip((double[])[0.3, 0, 0.4]), p => Assert.Equal(p.Second, p.First, 1e-6));
        }
    }

    public sealed class A_federated_bandit
    {
        private static (double Regret, FederatedLinearBandit Bandit) Play(LinearBanditOptions options, ulong seed)
        {
            using var noise = new SimulationRandom(seed);
            using var random = new SimulationRandom(seed + 1000);
            var bandit = new FederatedLinearBandit(options, noise);
            var truth = Unit(random, options.Dimension);
            var regret = 0.0;
            for (var batch = 0; batch < options.Batches; batch++)
            {
                for (var user = 0; user < options.Silos * options.BatchUsers; user++)
                {
                    var arms = Enumerable.Range(0, 5).Select(_ => Unit(random, options.Dimension)).ToArray();
                    double Mean(int arm) => arms[arm].Zip(truth, (a, b) => a * b).Sum() / 2;
                    var chosen = bandit.Choose(arms);
                    regret += Enumerable.Range(0, 5).Max(Mean) - Mean(chosen);
                    bandit.Observe(user % options.Silos, arms[chosen], Mean(chosen) + (0.2 * ((2 * random.NextDouble()) - 1)));
                }

                bandit.Synchronize();
            }

            return (regret, bandit);
        }

        [Fact]
        public void Learns_better_the_more_is_trusted()
        {
            var options = new LinearBanditOptions { Dimension = 3, Silos = 20, BatchUsers = 20, Batches = 63, Epsilon = 4, RewardNoise = 0.2, Exploration = 0.2 };
            double Regret(BanditTrust trust) => Enumerable.Range(0, 2).Average(s => Play(options with { Trust = trust }, (ulong)(721 + s)).Regret);
            var (none, central, silo) = (Regret(BanditTrust.None), Regret(BanditTrust.Central), Regret(BanditTrust.Silo));
            Assert.True(none < central && central < silo, $"regrets are {none}, {central} and {silo}");

            // Far from playing at random, which loses about 0.24 a user.
            Assert.True(central < 0.5 * 0.24 * 63 * 400, $"the central regret is {central}");
        }

        [Fact]
        public void Without_noise_is_ridge_regression()
        {
            var (_, bandit) = Play(new LinearBanditOptions { Dimension = 3, Silos = 2, BatchUsers = 50, Batches = 40, Trust = BanditTrust.None, RewardNoise = 0.2 }, 731);
            using var random = new SimulationRandom(1731);
            var truth = Unit(random, 3);
            Assert.All(bandit.Estimate.Zip(truth), p => Assert.Equal(p.Second / 2, p.First, 0.05));
            Assert.Equal(0, bandit.Shift);
        }

        [Fact]
        public void Shifts_the_matrix_so_that_it_is_positive()
        {
            // At every synchronisation, with probability 1 − α each: 200 matrices of nothing but noise at α = 0.01 leave a failure or two at most 14 times (1e-6).
            using var random = new SimulationRandom(741);
            var failures = 0;
            for (var trial = 0; trial < 200; trial++)
            {
                var options = Options with { Trust = BanditTrust.Central, Batches = 1 };
                var sums = new PrivateBatchSums(options, random);
                var matrix = BanditStatistics.Matrix(sums.Publish(), 3);
                var shift = sums.Deviation * (Math.Sqrt(6) + Math.Sqrt(2 * Math.Log(200)));
                for (var i = 0; i < 3; i++)
                {
                    matrix[i][i] += 2 * shift;
                }

                SymmetricEigen.Decompose(matrix);
                failures += Enumerable.Range(0, 3).Any(i => matrix[i][i] < shift || matrix[i][i] > 3 * shift) ? 1 : 0;
            }

            Assert.InRange(failures, 0, 14);
        }
    }
}

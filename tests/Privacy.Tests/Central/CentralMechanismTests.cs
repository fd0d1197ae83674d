using Federated.Privacy.Accounting;
using Federated.Privacy.Central;
using Federated.Privacy.Central.Factorizations;
using Federated.Privacy.Clipping;
using Federated.Privacy.Randomness;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Central;

public static class CentralMechanismTests
{
    public sealed class DpFedAvg_releases
    {
        private static readonly DpFedAvgOptions Options = new() { ClipNorm = 0.5, NoiseMultiplier = 1.5, ExpectedCohort = 20 };

        [Fact]
        public void Have_the_stated_deviation_around_the_mean()
        {
            using var random = new SimulationRandom(71);
            var mechanism = new DpFedAvg<float>(Options, random);
            var sum = new float[20_000];
            Array.Fill(sum, 4f);
            mechanism.Release(sum);
            Assert.Equal(1.5 * 0.5 / 20, mechanism.NextDeviation, 1e-12);
            double[] sample = [.. sum.Select(x => (double)x)];
            Statistics.AssertMean(sample, 4.0 / 20, Math.Pow(mechanism.NextDeviation, 2));
            Statistics.AssertVariance(sample, 4.0 / 20, Math.Pow(mechanism.NextDeviation, 2));
        }

        [Fact]
        public void Divide_by_the_public_cohort_whatever_arrived()
        {
            // The mechanism never learns how many arrived: two sums that differ by a whole update differ by it over the public number.
            using var a = new SimulationRandom(72);
            using var b = new SimulationRandom(72);
            var one = new float[1000];
            var two = new float[1000];
            Array.Fill(two, 0.5f);
            new DpFedAvg<float>(Options, a).Release(one);
            new DpFedAvg<float>(Options, b).Release(two);
            for (var i = 0; i < one.Length; i++)
            {
                Assert.Equal(0.5 / 20, two[i] - one[i], 1e-6);
            }
        }

        [Fact]
        public void Of_an_empty_cohort_are_noise()
        {
            using var random = new SimulationRandom(73);
            var sum = new float[5000];
            new DpFedAvg<float>(Options, random).Release(sum);
            Statistics.AssertVariance([.. sum.Select(x => (double)x)], 0, Math.Pow(1.5 * 0.5 / 20, 2));
        }

        [Fact]
        public void Lie_on_the_grid_before_the_division()
        {
            using var random = new SimulationRandom(74);
            var mechanism = new DpFedAvg<double>(Options with { ExpectedCohort = 16 }, random);
            var sum = new double[1000];
            mechanism.Release(sum);
            Assert.All(sum, x => Assert.Equal(0, x * 16 / mechanism.GridStep % 1));
            Assert.InRange(mechanism.GridStep, 0.75 / (1 << 17), 0.75 / (1 << 16));
        }

        [Fact]
        public void Of_two_rounds_are_uncorrelated()
        {
            using var random = new SimulationRandom(75);
            var mechanism = new DpFedAvg<float>(Options, random);
            var one = new float[50_000];
            var two = new float[50_000];
            mechanism.Release(one);
            mechanism.Release(two);
            var correlation = one.Zip(two, (x, y) => (double)x * y).Sum() / (one.Length * Math.Pow(mechanism.NextDeviation, 2));
            Assert.True(Math.Abs(correlation) < Statistics.Z / Math.Sqrt(one.Length));
        }

        [Fact]
        public void With_an_adaptive_bound_are_noised_to_pay_for_the_bits()
        {
            using var random = new SimulationRandom(76);
            var clip = new AdaptiveClip(new AdaptiveClipOptions { InitialBound = 2 }, 20);
            var mechanism = new DpFedAvg<float>(Options with { NoiseMultiplier = 1 }, random, clip);
            Assert.Equal(clip.UpdateMultiplier(1) * 2 / 20, mechanism.NextDeviation, 1e-12);
            Assert.Equal(1, mechanism.ChargedMultiplier, 1e-12);
            mechanism.Release(new float[3]);
            mechanism.ReleaseBits(0);
            Assert.NotEqual(2, mechanism.ClipNorm);
            Assert.Equal(clip.Bound, mechanism.ClipNorm);
        }

        [Fact]
        public void Need_a_public_cohort()
        {
            using var random = new SimulationRandom(77);
            Assert.Throws<PrivacyException>(() => new DpFedAvg<float>(Options with { ExpectedCohort = 0 }, random));
        }
    }

    public sealed class DpFtrl_releases
    {
        private static readonly DpFtrlOptions Options = new()
        {
            ClipNorm = 2, NoiseMultiplier = 3, ExpectedCohort = 10, Steps = 24, Factorization = FactorizationNames.TreeHonaker,
            MaxParticipations = 3, MinSeparation = 8,
        };

        [Fact]
        public void Carry_on_prefix_sums_the_factorisation_error_scaled_by_bound_multiplier_and_sensitivity()
        {
            const int d = 20_000;
            using var random = new SimulationRandom(78);
            var mechanism = new DpFtrl<double>(Options, d, random);
            var factorization = new TreeFactorization(24);
            var scale = 3 * 2 * factorization.Sensitivity(new Participation(3, 8)) / 10;
            var variances = factorization.ErrorVariances();
            var prefix = new double[d];
            for (var t = 0; t < 24; t++)
            {
                Assert.Equal(scale * Math.Sqrt(variances[t]), mechanism.NextDeviation, 1e-9);
                var sum = new double[d];
                Array.Fill(sum, 0.25);
                mechanism.Release(sum);
                for (var j = 0; j < d; j++)
                {
                    prefix[j] += sum[j];
                }

                Statistics.AssertMean(prefix, (t + 1) * 0.025, scale * scale * variances[t]);
                Statistics.AssertVariance(prefix, (t + 1) * 0.025, scale * scale * variances[t]);
            }

            Assert.Throws<PrivacyException>(() => mechanism.Release(new double[d]));
        }

        [Fact]
        public void Restart_with_fresh_trees_that_are_all_charged()
        {
            var options = Options with { RestartEvery = 8, MaxParticipations = 1, MinSeparation = 1, NoiseMultiplier = 10 };
            Assert.Equal(10 / Math.Sqrt(3), DpFtrl<float>.ChargedMultiplier(options), 1e-12);
            Assert.Equal(10, DpFtrl<float>.ChargedMultiplier(options with { RestartEvery = 0 }), 1e-12);
            using var random = new SimulationRandom(79);
            var mechanism = new DpFtrl<double>(options, 20_000, random);
            var prefix = new double[20_000];
            for (var t = 0; t < 24; t++)
            {
                var sum = new double[prefix.Length];
                mechanism.Release(sum);
                for (var j = 0; j < sum.Length; j++)
                {
                    prefix[j] += sum[j];
                }
            }

            // Three trees of 8 steps: three root estimates.
            var tree = new TreeFactorization(8);
            var variance = 3 * tree.ErrorVariances()[7] * Math.Pow(mechanism.NoiseScale / 10, 2);
            Assert.Equal(10 * 2 * 2, mechanism.NoiseScale, 1e-9);
            Statistics.AssertVariance(prefix, 0, variance);
        }

        [Fact]
        public void Continue_after_a_crash_with_the_noise_already_spent()
        {
            using var random = new SimulationRandom(80);
            var mechanism = new DpFtrl<double>(Options, 4, random);
            for (var t = 0; t < 11; t++)
            {
                mechanism.Release(new double[4]);
            }

            using var a = new SimulationRandom(81);
            using var b = new SimulationRandom(81);
            ReadOnlyMemory<double>[] stored = [.. mechanism.Noise.Buffers.Select(x => (ReadOnlyMemory<double>)x.ToArray())];
            var one = new DpFtrl<double>(Options, 4, a);
            var two = new DpFtrl<double>(Options, 4, b);
            one.Restore(11, stored);
            two.Restore(11, stored);
            for (var t = 11; t < 24; t++)
            {
                var x = new double[4];
                var y = new double[4];
                one.Release(x);
                two.Release(y);
                Assert.Equal(x, y);
            }
        }

        [Fact]
        public void Cost_what_tree_dpftrl_csv_says()
        {
            // n = 1000 steps, node noise σ = 10: the multiplier of the run is 10/√10.
            Assert.Equal(1.367571475, AnalyticGaussian.Epsilon(10 / Math.Sqrt(TreeSensitivity.Squared(1000, Participation.Once)), 1e-6), 1e-8);
            foreach (var row in VectorFile.ReadIfThere("tree_dpftrl"))
            {
                var (sigma, delta) = (row.Number("sigma"), row.Number("delta"));
                var steps = row.Integer("steps");
                long squared = row["kind"] switch
                {
                    "same_order" => TreeSensitivity.SameOrder(
                        steps, [.. row["epochs_between_restarts"].Split(' ').Select(int.Parse)], row["tree_completion"] == "True"),
                    _ => TreeSensitivity.Squared(steps, Participation.Once),
                };
                Assert.Equal(row.Number("sens_sq"), squared);
                Assert.Equal(row.Number("eps_gauss"), AnalyticGaussian.Epsilon(sigma / Math.Sqrt(squared), delta), row.Number("eps_gauss") * 1e-8);
                if (row.Has("eps_rdp"))
                {
                    // The same-order rows come from a program with orders of its own.
                    var orders = row["kind"] == "same_order" ? Enumerable.Range(11, 1989).Select(i => i / 10.0).ToArray() : RenyiOrders.Default;
                    var run = new GaussianEvent(NeighbourRelation.ZeroOutParticipation, sigma / Math.Sqrt(squared));
                    var renyi = new RdpAccountant(new RdpAccountantOptions { Orders = orders }).Epsilon(run, delta);
                    Near.Relative(row.Number("eps_rdp"), renyi, 1e-6, row.ToString());
                    Assert.True(renyi > row.Number("eps_gauss"), "the exact form is never the worse one");
                }
            }
        }
    }
}

using Federated.Privacy.Accounting;

namespace Federated.Privacy.Tests.Accounting;

public static class CalibrationTests
{
    private static PrivacyEvent Sampled(double q, double sigma, long steps) =>
        new PoissonSampledEvent(q, new GaussianEvent(NeighbourRelation.AddRemoveClient, sigma)).Repeated(steps);

    public sealed class NoiseMultiplier
    {
        /// <summary>Source: vectors/noise_multiplier_calibration.csv.</summary>
        [Theory]
        [InlineData(0.01, 1000, 1.0, 1e-5, 1.513123, 1.414631)]
        [InlineData(0.05, 500, 8.0, 1e-6, 1.079342, 1.031415)]
        [InlineData(1.0, 1, 1.0, 1e-5, 4.045385, 3.730632)]
        public void Matches_the_reference(double q, long steps, double epsilon, double delta, double rdp, double pld)
        {
            Renyi(q, steps, epsilon, delta, rdp);
            var accountant = new PldAccountant();
            var sigma = Calibration.NoiseMultiplier(accountant, s => Sampled(q, s, steps), epsilon, delta);
            Near.Absolute(pld, sigma, 1e-4);
            Assert.True(accountant.Epsilon(Sampled(q, sigma, steps), delta) <= epsilon, "the target holds at the value returned");
        }

        [VectorFact("noise_multiplier_calibration")]
        public void All_match()
        {
            foreach (var row in VectorFile.Read("noise_multiplier_calibration"))
            {
                // A tight search would end between these two: the target holds at one and not at the other.
                var (q, steps, epsilon, delta, pld) = (row.Number("q"), row.Integer("T"), row.Number("eps"), row.Number("delta"), row.Number("sigma_pld"));
                var accountant = new PldAccountant();
                Assert.True(accountant.Epsilon(Sampled(q, pld + 1e-4, steps), delta) <= epsilon, row.ToString());
                Assert.True(accountant.Epsilon(Sampled(q, pld - 1e-4, steps), delta) > epsilon, row.ToString());
                Renyi(q, steps, epsilon, delta, row.Number("sigma_rdp"));
            }
        }

        private static void Renyi(double q, long steps, double epsilon, double delta, double rdp)
        {
            // The reference's Rényi orders are too large where they are fractional (its header says so), hence its noise
            // too, most where the best order is lowest. That ours suffices follows from the orders, which match 40-digit integrals.
            var renyi = Calibration.NoiseMultiplier(new RdpAccountant(), s => Sampled(q, s, steps), epsilon, delta);
            Assert.InRange(renyi, rdp * (1 - 7e-4), rdp + 2e-6);
            Assert.True(new RdpAccountant().Epsilon(Sampled(q, renyi, steps), delta) <= epsilon);
        }

        [Fact]
        public void Says_when_no_noise_suffices()
        {
            var leak = new ApproximateEvent(NeighbourRelation.AddRemoveClient, 0.1, 1e-3);
            var error = Assert.Throws<PrivacyException>(() => Calibration.NoiseMultiplier(
                new PldAccountant(), s => new ComposedEvent(Sampled(1, s, 1), leak), 1, 1e-5));
            Assert.Contains("does not depend on the noise", error.Message, StringComparison.Ordinal);
        }

        [Theory]
        [InlineData(0)]
        [InlineData(-1)]
        [InlineData(double.NaN)]
        public void Refuses_targets_that_are_none(double epsilon) => Assert.Throws<PrivacyException>(
            () => Calibration.NoiseMultiplier(new RdpAccountant(), s => Sampled(0.1, s, 10), epsilon, 1e-5));
    }

    public sealed class Steps
    {
        [Fact]
        public void Is_the_last_count_within_the_target()
        {
            var accountant = new RdpAccountant();
            var steps = Calibration.Steps(accountant, Sampled(0.01, 1, 1), 2, 1e-5);
            Assert.True(accountant.Epsilon(Sampled(0.01, 1, steps), 1e-5) <= 2);
            Assert.True(accountant.Epsilon(Sampled(0.01, 1, steps + 1), 1e-5) > 2);
        }

        [Fact]
        public void Is_exact_for_plain_gaussians()
        {
            // ε(k releases) is that of one release at z/√k.
            var expected = (long)Math.Floor(Math.Pow(20 / AnalyticGaussian.NoiseMultiplier(1, 1e-6), 2));
            Assert.Equal(expected, Calibration.Steps(
                new AnalyticGaussianAccountant(), new GaussianEvent(NeighbourRelation.ZeroOutParticipation, 20), 1, 1e-6));
        }

        [Fact]
        public void Is_zero_where_one_is_too_many_and_the_limit_where_it_is_free()
        {
            Assert.Equal(0, Calibration.Steps(new RdpAccountant(), Sampled(1, 0.1, 1), 1, 1e-6));
            Assert.Equal(77, Calibration.Steps(new RdpAccountant(), Sampled(0, 1, 1), 1, 1e-6, limit: 77));
        }
    }

    public sealed class SamplingProbability
    {
        [Fact]
        public void Is_the_largest_within_the_target()
        {
            var accountant = new RdpAccountant();
            var q = Calibration.SamplingProbability(accountant, p => Sampled(p, 1, 100), 2, 1e-5);
            Assert.True(accountant.Epsilon(Sampled(q, 1, 100), 1e-5) <= 2);
            Assert.True(accountant.Epsilon(Sampled(q * 1.0001, 1, 100), 1e-5) > 2);
            Assert.Equal(1, Calibration.SamplingProbability(accountant, p => Sampled(p, 1000, 1), 2, 1e-5));
        }
    }
}

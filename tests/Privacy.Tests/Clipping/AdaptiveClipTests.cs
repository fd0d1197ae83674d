using Federated.Privacy.Clipping;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Tests.Clipping;

public static class AdaptiveClipTests
{
    public sealed class The_budget
    {
        [Theory]
        [InlineData(100, 1.0)]
        [InlineData(1000, 0.3)]
        [InlineData(60, 5.0)]
        public void Is_split_so_that_the_pair_costs_the_multiplier_asked_for(double cohort, double z)
        {
            var clip = new AdaptiveClip(new AdaptiveClipOptions(), cohort);
            var update = clip.UpdateMultiplier(z);
            Assert.Equal(1 / (z * z), (1 / (update * update)) + (1 / Math.Pow(2 * clip.BitNoise, 2)), 1e-12);
            Assert.Equal(z, clip.ChargedMultiplier(update), 1e-12);
            Assert.True(update > z, "the updates must pay for the bits");
        }

        [Theory]
        [InlineData(100, 1, 5)]
        [InlineData(10, 3, 3)]
        public void Gives_the_bits_the_papers_noise_or_where_that_would_cost_more_than_there_is_a_quarter(double cohort, double z, double expected)
        {
            Assert.Equal(expected, AdaptiveClip.DefaultBitNoise(cohort, z));
            var clip = new AdaptiveClip(new AdaptiveClipOptions { BitNoise = expected }, cohort);
            Assert.Equal(z, clip.ChargedMultiplier(clip.UpdateMultiplier(z)), 1e-12);
            Assert.InRange(Math.Pow(z / (2 * expected), 2), 0, 0.25);
        }

        [Fact]
        public void Gives_the_worked_example()
        {
            var clip = new AdaptiveClip(new AdaptiveClipOptions(), 100);
            Assert.Equal(5, clip.BitNoise);
            Assert.Equal(1.00504, clip.UpdateMultiplier(1), 5e-6);
        }

        [Fact]
        public void Is_refused_when_the_bits_alone_cost_more()
        {
            var clip = new AdaptiveClip(new AdaptiveClipOptions { BitNoise = 0.4 }, 100);
            Assert.Throws<PrivacyException>(() => clip.UpdateMultiplier(1));
        }
    }

    public sealed class The_bound
    {
        [Theory]
        [InlineData(0.5)]
        [InlineData(0.8)]
        public void Converges_to_the_quantile_of_a_fixed_distribution(double quantile)
        {
            const int cohort = 200;
            var clip = new AdaptiveClip(new AdaptiveClipOptions { TargetQuantile = quantile }, cohort);
            using var random = new SimulationRandom(51);
            Span<double> norms = stackalloc double[cohort];
            Span<double> noise = stackalloc double[1];
            var logs = 0.0;
            for (var round = 0; round < 300; round++)
            {
                GaussianSampler.Fill(norms, 0.5, random); // log-normal norms with median 1
                double sum = 0;
                foreach (var x in norms)
                {
                    sum += clip.Bit(Math.Exp(x));
                }

                GaussianSampler.Fill(noise, clip.BitNoise, random);
                clip.Update(sum + noise[0]);
                logs += round >= 200 ? Math.Log(clip.Bound) / 100 : 0;
            }

            var expected = quantile == 0.5 ? 1 : Math.Exp(0.5 * 0.8416212);
            Assert.InRange(Math.Exp(logs), expected * 0.9, expected * 1.1); // the average wanders by 2 %: false alarm below 1e-5
        }

        [Theory]
        [InlineData(1e9)]
        [InlineData(-1e9)]
        public void Moves_by_a_bounded_factor_whatever_the_noise(double sum)
        {
            var clip = new AdaptiveClip(new AdaptiveClipOptions { InitialBound = 1 }, 100);
            clip.Update(sum);
            Assert.Equal(Math.Exp(sum > 0 ? -0.1 : 0.1), clip.Bound, 1e-12);
        }

        [Fact]
        public void Divides_by_the_public_cohort_not_by_the_arrivals()
        {
            // Half of the cohort arrives, all within the bound: 50 bits of +½ over 100 is 0.75 within, not 1.
            var clip = new AdaptiveClip(new AdaptiveClipOptions { InitialBound = 1, LearningRate = 1 }, 100);
            clip.Update(25);
            Assert.Equal(Math.Exp(-0.25), clip.Bound, 1e-12);
        }

        [Fact]
        public void Stays_between_its_public_limits()
        {
            var clip = new AdaptiveClip(new AdaptiveClipOptions { InitialBound = 1, MinBound = 0.95, MaxBound = 1.02 }, 10);
            clip.Update(1000);
            Assert.Equal(0.95, clip.Bound);
            clip.Update(-1000);
            Assert.Equal(1.02, clip.Bound);
        }
    }
}

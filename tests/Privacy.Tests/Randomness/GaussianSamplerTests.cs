using Federated.Privacy.Randomness;

namespace Federated.Privacy.Tests.Randomness;

public static class GaussianSamplerTests
{
    public sealed class Its_noise
    {
        [Fact]
        public void Is_normal_in_floats()
        {
            var noise = new float[100_001];
            using var random = new SimulationRandom(31);
            GaussianSampler.Fill(noise.AsSpan(), 1.0, random);
            AssertNormal([.. noise.Select(x => (double)x)], 1);
        }

        [Fact]
        public void Is_normal_in_doubles()
        {
            var noise = new double[50_001];
            using var random = new SimulationRandom(32);
            GaussianSampler.Fill(noise.AsSpan(), 2.5, random);
            AssertNormal(noise, 2.5);
        }

        [Fact]
        public void Has_tails_where_a_32_bit_radius_would_end()
        {
            // u = 2⁻⁶³ (all bits of both words zero) gives the largest radius, √(126 ln 2) ≈ 9.35, and u ≈ 1 − 2⁻⁶³ the smallest.
            Span<float> normals = stackalloc float[GaussianKernel.Granularity];
            var words = new uint[GaussianKernel.Granularity / 2 * 3];
            GaussianKernel.Generate(normals, words);
            Assert.Equal(Math.Sqrt(126 * Math.Log(2)), normals[0], 1e-5);
            Array.Fill(words, uint.MaxValue, 0, words.Length / 3 * 2);
            GaussianKernel.Generate(normals, words);
            Assert.InRange(normals[0], 1e-10, 1e-9);
        }

        [Fact]
        public void Is_the_Box_Muller_transform_of_its_words()
        {
            var words = new uint[3 * 4096];
            using var random = new SimulationRandom(33);
            random.Fill(System.Runtime.InteropServices.MemoryMarshal.AsBytes(words.AsSpan()));
            var normals = new float[2 * 4096];
            GaussianKernel.Generate(normals, words);
            for (var i = 0; i < 4096; i++)
            {
                var u = ((words[i] >> 1) * Math.ScaleB(1, -31)) + ((words[i + 4096] >> 1) * Math.ScaleB(1, -62)) + Math.ScaleB(1, -63);
                var radius = Math.Sqrt(-2 * Math.Log(u));
                var actual = Math.Sqrt(((double)normals[i] * normals[i]) + ((double)normals[i + 4096] * normals[i + 4096]));
                Assert.Equal(radius, actual, radius * 4e-7);
                var turn = words[i + 8192];
                var angle = ((turn & 0x1FFFFFFF) + 0.5) * Math.ScaleB(Math.PI / 4, -29);
                var (s, c) = (turn & 0x20000000) == 0 ? Math.SinCos(angle) : (Math.Cos(angle), Math.Sin(angle));
                Assert.Equal(radius * c * ((turn >> 31) == 0 ? 1 : -1), normals[i], radius * 4e-7);
                Assert.Equal(radius * s * (((turn >> 30) & 1) == 0 ? 1 : -1), normals[i + 4096], radius * 4e-7);
            }
        }

        [Fact]
        public void Is_uncorrelated_between_neighbours_halves_and_calls()
        {
            const int n = 1 << 17;
            var noise = new float[2 * n];
            using var random = new SimulationRandom(34);
            GaussianSampler.Fill(noise.AsSpan(0, n), 1, random);
            GaussianSampler.Fill(noise.AsSpan(n), 1, random);
            foreach (var lag in new[] { 1, 2, 8, 16, 1 << 13, 1 << 14, 1 << 16, n })
            {
                double sum = 0;
                for (var i = 0; i < n; i++)
                {
                    sum += (double)noise[i] * noise[i + lag];
                }

                Assert.True(Math.Abs(sum) < Statistics.Z * Math.Sqrt(n), $"lag {lag}: {sum / n}");
            }
        }

        private static void AssertNormal(double[] sample, double sigma)
        {
            Statistics.AssertMean(sample, 0, sigma * sigma);
            Statistics.AssertVariance(sample, 0, sigma * sigma);
            Statistics.AssertDistribution(sample, x => Statistics.NormalCdf(x / sigma));
            var fourth = sample.Average(x => Math.Pow(x / sigma, 4));
            Assert.True(Math.Abs(fourth - 3) < Statistics.Z * Math.Sqrt(96.0 / sample.Length), $"fourth moment {fourth}");
        }
    }

    public sealed class ScaleAndAdd
    {
        [Fact]
        public void Gives_the_same_bits_on_any_number_of_threads()
        {
            var one = new float[300_001];
            Array.Fill(one, 2f);
            var two = (float[])one.Clone();
            using var a = new SimulationRandom(35);
            using var b = new SimulationRandom(35);
            GaussianSampler.ScaleAndAdd(one.AsSpan(), 0.5, 0.1, a, maxThreads: 1);
            GaussianSampler.ScaleAndAdd(two.AsSpan(), 0.5, 0.1, b, maxThreads: 2);
            Assert.Equal(one, two);
            Statistics.AssertMean([.. one.Select(x => (double)x)], 1, 0.01);
        }

        [Fact]
        public void Draws_afresh_each_time()
        {
            using var random = new SimulationRandom(36);
            var one = new float[1000];
            var two = new float[1000];
            GaussianSampler.Add(one.AsSpan(), 1, random);
            GaussianSampler.Add(two.AsSpan(), 1, random);
            Assert.NotEqual(one, two);
        }

        [Theory]
        [InlineData(-1.0)]
        [InlineData(double.NaN)]
        [InlineData(double.PositiveInfinity)]
        public void Refuses_a_deviation_that_is_none(double sigma)
        {
            using var random = new SimulationRandom(36);
            Assert.Throws<PrivacyException>(() => GaussianSampler.Add(new float[3].AsSpan(), sigma, random));
        }
    }

    public sealed class AddOnGrid
    {
        [Fact]
        public void Leaves_grid_points_whose_law_does_not_depend_on_the_value()
        {
            const double step = 1.0 / 1024;
            var zero = new float[40_000];
            var one = new float[40_000];
            Array.Fill(one, 1f);
            using var a = new SimulationRandom(37);
            using var b = new SimulationRandom(37);
            GaussianSampler.AddOnGrid(zero.AsSpan(), step, 1, a);
            GaussianSampler.AddOnGrid(one.AsSpan(), step, 1, b);
            for (var i = 0; i < zero.Length; i++)
            {
                Assert.Equal(0, zero[i] / step % 1);
                Assert.Equal(zero[i] + 1, one[i]);
            }

            Statistics.AssertVariance([.. zero.Select(x => (double)x)], 0, 1);
        }

        [Fact]
        public void Refuses_a_step_that_scaling_would_round()
        {
            using var random = new SimulationRandom(36);
            Assert.Throws<PrivacyException>(() => GaussianSampler.AddOnGrid(new float[3].AsSpan(), 0.1, 1, random));
        }
    }
}

using Federated.Privacy.Local.Scalars;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Local;

public static class BoxRandomizerTests
{
    public sealed class Duchi_on_the_cube
    {
        [Theory]
        [InlineData(2, 0.5, 9.16597633)]
        [InlineData(4, 1, 6.770542437)]
        [InlineData(5, 2, 3.501427428)]
        [InlineData(8, 4, 4.793608122)]
        public void Has_the_corrected_scale(int d, double epsilon, double scale) =>
            Assert.Equal(scale, new DuchiHypercube(epsilon, d).Scale, scale * 1e-9);

        [Fact]
        public void Matches_ldp_duchi_multidim_csv()
        {
            foreach (var row in VectorFile.ReadIfThere("ldp_duchi_multidim"))
            {
                var randomizer = new DuchiHypercube(row.Number("eps"), row.Integer("d"));
                Assert.Equal(row.Number("B_fixed"), randomizer.Scale, row.Number("B_fixed") * 1e-9);
                Assert.Equal(row.Number("p_fixed"), randomizer.AgreeProbability, 1e-9);
                Assert.Equal(row.Number("eps_true_fixed"), randomizer.Epsilon, 1e-9);
            }
        }

        [Theory]
        [InlineData(1)]
        [InlineData(2)]
        [InlineData(3)]
        [InlineData(4)]
        [InlineData(5)]
        [InlineData(6)]
        public void Costs_exactly_epsilon_by_enumeration(int d)
        {
            // Anti-pattern 6 (privacy.md §8): with both half-cubes closed an even d costs ln(e^ε + 1).
            foreach (var epsilon in new[] { 0.5, 2, 4 })
            {
                var randomizer = new DuchiHypercube(epsilon, d);
                var laws = Enumerable.Range(0, 1 << d).Select(v => CubeLaw(d, v, randomizer.AgreeProbability)).ToArray();
                Assert.All(laws, law => Assert.Equal(1, law.Sum(), 1e-12));
                var worst = laws.SelectMany(a => laws.Select(b => a.Zip(b, (x, y) => Math.Log(x / y)).Max())).Max();
                Assert.Equal(epsilon, worst, 1e-9);
                Assert.Equal(worst, randomizer.Epsilon, 1e-9);
                var published = Math.Log((Math.Exp(epsilon) + 1) / 1);
                Assert.True(d % 2 == 1 || published > worst + 1e-3);
            }
        }

        [Theory]
        [InlineData(3)]
        [InlineData(4)]
        public void Draws_from_that_law(int d)
        {
            var randomizer = new DuchiHypercube(1, d);
            using var random = new SimulationRandom(131);
            var vertex = Enumerable.Range(0, d).Select(j => j % 2 == 0 ? 1.0 : -1.0).ToArray();
            var v = Enumerable.Range(0, d).Sum(j => j % 2 == 0 ? 1 << j : 0);
            var counts = new long[1 << d];
            var report = new double[d];
            for (var i = 0; i < 40_000; i++)
            {
                randomizer.Randomize(vertex, report, random);
                counts[Enumerable.Range(0, d).Sum(j => report[j] > 0 ? 1 << j : 0)]++;
            }

            Statistics.AssertChiSquare(counts, CubeLaw(d, v, randomizer.AgreeProbability));
        }

        private static double[] CubeLaw(int d, int v, double agree)
        {
            var inside = Enumerable.Range(0, 1 << d).Select(t => 2 * (d - System.Numerics.BitOperations.PopCount((uint)(t ^ v))) >= d).ToArray();
            var count = inside.Count(x => x);
            return [.. inside.Select(x => x ? agree / count : (1 - agree) / (inside.Length - count))];
        }
    }

    public sealed class Every_randomiser
    {
        [Theory]
        [InlineData("duchi", 4, 1)]
        [InlineData("duchi", 7, 2)]
        [InlineData("duchi", 200, 4)]
        [InlineData("sampled", 5, 1)]
        [InlineData("sampled", 5, 8)]
        public void Estimates_each_coordinate_without_bias_with_its_stated_variance(string kind, int d, double epsilon)
        {
            const int n = 8000;
            IBoxRandomizer randomizer = kind == "duchi" ? new DuchiHypercube(epsilon, d) : new CoordinateSampling(ScalarRandomizers.Hybrid, epsilon, d);
            var values = Enumerable.Range(0, d).Select(j => ((j % 5) / 2.0) - 1).ToArray();
            using var random = SimulationRandom.Derive(132, kind, d);
            var samples = Enumerable.Range(0, Math.Min(d, 5)).Select(_ => new double[n]).ToArray();
            var report = new double[d];
            for (var i = 0; i < n; i++)
            {
                randomizer.Randomize(values, report, random);
                for (var j = 0; j < samples.Length; j++)
                {
                    samples[j][i] = report[j];
                }
            }

            for (var j = 0; j < samples.Length; j++)
            {
                var variance = randomizer.Variance(values[j]);
                Statistics.AssertMean(samples[j], values[j], variance);
                Statistics.AssertVariance(samples[j], values[j], variance, kurtosis: kind == "duchi" ? 3 : 3 * d);
            }
        }

        [Fact]
        public void Declares_the_whole_budget()
        {
            Assert.Equal(8, new CoordinateSampling(ScalarRandomizers.Piecewise, 8, 10).Epsilon, 1e-9);
            Assert.Equal(3, new CoordinateSampling(ScalarRandomizers.Piecewise, 8, 10).Sampled);
            Assert.Equal(1, new CoordinateSampling(ScalarRandomizers.Piecewise, 2, 10).Sampled);
        }
    }
}

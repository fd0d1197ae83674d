using Federated.Privacy.Randomness;

namespace Federated.Privacy.Tests.Randomness;

public static class UniformDrawsTests
{
    public sealed class NextBelow
    {
        [Theory]
        [InlineData(1)]
        [InlineData(3)]
        [InlineData(7)]
        [InlineData(64)]
        public void Is_uniform(int cells)
        {
            using var random = new SimulationRandom(11);
            var counts = new long[cells];
            for (var i = 0; i < 20_000; i++)
            {
                counts[random.NextBelow(cells)]++;
            }

            Statistics.AssertChiSquare(counts, [.. Enumerable.Repeat(1.0 / cells, cells)]);
        }

        [Fact]
        public void Has_no_modulo_bias_where_it_would_be_largest()
        {
            // m = 3·2⁶²: a plain remainder would give the lowest third double weight; multiply-high without rejection likewise skews.
            using var random = new SimulationRandom(12);
            var counts = new long[3];
            for (var i = 0; i < 20_000; i++)
            {
                counts[random.NextBelow(3UL << 62) >> 62]++;
            }

            Statistics.AssertChiSquare(counts, [1 / 3.0, 1 / 3.0, 1 / 3.0]);
        }
    }

    public sealed class NextSubset
    {
        [Fact]
        public void Gives_every_subset_alike()
        {
            using var random = new SimulationRandom(13);
            var counts = new Dictionary<string, long>();
            for (var i = 0; i < 20_000; i++)
            {
                var key = string.Join(' ', random.NextSubset(5, 2));
                counts[key] = counts.GetValueOrDefault(key) + 1;
            }

            Assert.Equal(10, counts.Count);
            Statistics.AssertChiSquare([.. counts.Values], [.. Enumerable.Repeat(0.1, 10)]);
        }
    }

    public sealed class Shuffle
    {
        [Fact]
        public void Gives_every_permutation_alike()
        {
            using var random = new SimulationRandom(14);
            var counts = new Dictionary<string, long>();
            Span<int> items = stackalloc int[4];
            for (var i = 0; i < 24_000; i++)
            {
                (items[0], items[1], items[2], items[3]) = (0, 1, 2, 3);
                random.Shuffle(items);
                var key = string.Join(' ', items.ToArray());
                counts[key] = counts.GetValueOrDefault(key) + 1;
            }

            Assert.Equal(24, counts.Count);
            Statistics.AssertChiSquare([.. counts.Values], [.. Enumerable.Repeat(1 / 24.0, 24)]);
        }
    }

    public sealed class NextRounded
    {
        [Theory]
        [InlineData(0.25)]
        [InlineData(-3.9)]
        [InlineData(7)]
        public void Has_the_value_as_its_mean(double value)
        {
            using var random = new SimulationRandom(15);
            var sample = new double[20_000];
            for (var i = 0; i < sample.Length; i++)
            {
                sample[i] = random.NextRounded(value);
                Assert.True(Math.Abs(sample[i] - value) < 1);
            }

            var fraction = value - Math.Floor(value);
            Statistics.AssertMean(sample, value, fraction * (1 - fraction));
        }
    }
}

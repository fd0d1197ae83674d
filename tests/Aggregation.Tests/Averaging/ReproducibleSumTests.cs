using System.Numerics;
using System.Runtime.InteropServices;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Tests.Averaging;

public partial class ReproducibleSumTests
{
    /// <summary>Vectors whose magnitudes differ by hundreds of binary orders, between vectors and along them.</summary>
    private static T[][] Wild<T>(int count, int dimension, ulong seed, int orders = 60)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var random = SeededRandom.Derive(seed, "wild");
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var scale = random.NextInt((2 * orders) + 1) - orders;
            return Enumerable.Range(0, dimension)
                .Select(i => random.NextInt(7) == 0 ? T.Zero : T.CreateTruncating(random.NextNormal() * Math.ScaleB(1, scale + (i / 512 % 4 * 13))))
                .ToArray();
        })];
    }

    private static double[] Weights(int count, ulong seed)
    {
        var random = SeededRandom.Derive(seed, "weights");
        return [.. Enumerable.Range(0, count).Select(i => i % 5 == 3 ? 0 : random.NextPositive() * 100)];
    }

    private static T[] OneByOne<T>(T[][] vectors, double[] weights, IEnumerable<int> order)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sum = new ReproducibleSum<T>(vectors[0].Length);
        foreach (var i in order)
        {
            sum.Add(vectors[i], weights[i]);
        }

        var total = new T[vectors[0].Length];
        sum.Read(total, 3.7);
        return total;
    }

    private static void SameBits<T>(T[] expected, T[] actual)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Assert.True(MemoryMarshal.AsBytes(expected.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(actual.AsSpan())), "the bits differ");

    /// <summary>value · 2^1200 as an integer: exact for every double.</summary>
    private static BigInteger Exact(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var exponent = (int)((bits >> 52) & 0x7FF);
        var mantissa = (bits & 0xFFFFFFFFFFFFF) | (exponent == 0 ? 0 : 1L << 52);
        var magnitude = new BigInteger(mantissa) << (Math.Max(exponent, 1) - 1075 + 1200);
        return bits < 0 ? -magnitude : magnitude;
    }

    private static double Approximately(BigInteger value)
    {
        var excess = (int)Math.Max(0, value.GetBitLength() - 60);
        return Math.ScaleB((double)(value >> excess), excess - 1200);
    }

    public class Order
    {
        [Theory]
        [InlineData(1)]
        [InlineData(511)]
        [InlineData(512)]
        [InlineData(2000)]
        public void Does_not_change_a_bit_of_doubles(int dimension) => Check<double>(dimension);

        [Theory]
        [InlineData(1)]
        [InlineData(513)]
        [InlineData(2000)]
        public void Does_not_change_a_bit_of_floats(int dimension) => Check<float>(dimension);

        [Fact]
        public void Does_not_matter_for_terms_that_lie_on_the_edges_of_bins()
        {
            // Ties and exact bin limits, where a cut that depended on what came before would show.
            // One coordinate, so that each term in turn decides on the bin.
            var random = SeededRandom.Derive(3, "edges");
            for (var run = 0; run < 300; run++)
            {
                var vectors = Enumerable.Range(0, 10).Select(_ =>
                {
                    var edge = Math.ScaleB(1.0, ((random.NextInt(3) - 1) * 44) + random.NextInt(3) - 2);
                    var nudged = random.NextInt(3) switch { 0 => edge, 1 => Math.BitIncrement(edge), _ => Math.BitDecrement(edge) };
                    return new[] { (random.NextInt(2) == 0 ? 1 : -3) * nudged };
                }).ToArray();
                var weights = Enumerable.Repeat(1.0, vectors.Length).ToArray();
                var order = Enumerable.Range(0, vectors.Length).ToArray();
                var expected = OneByOne(vectors, weights, order);
                for (var i = 0; i < 10; i++)
                {
                    random.Shuffle<int>(order);
                    SameBits(expected, OneByOne(vectors, weights, order));
                }
            }
        }

        private static void Check<T>(int dimension)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var vectors = Wild<T>(23, dimension, 1, typeof(T) == typeof(float) ? 30 : 120);
            var weights = Weights(23, 1);
            var order = Enumerable.Range(0, 23).ToArray();
            var expected = OneByOne(vectors, weights, order);
            var random = SeededRandom.Derive(1, "order");
            for (var i = 0; i < 20; i++)
            {
                random.Shuffle<int>(order);
                SameBits(expected, OneByOne(vectors, weights, order));
            }
        }
    }

    public class Accuracy
    {
        [Fact]
        public void Is_within_the_stated_bound_of_the_exact_sum()
        {
            const int count = 40, dimension = 1100;
            var vectors = Wild<double>(count, dimension, 9, 40);
            var weights = Weights(count, 9);
            var sum = new ReproducibleSum<double>(dimension);
            for (var i = 0; i < count; i++)
            {
                sum.Add(vectors[i], weights[i]);
            }

            var total = new double[dimension];
            sum.Read(total);
            var largestOf = Enumerable.Range(0, 3)
                .Select(block => vectors.Select((v, i) => weights[i] * v.Skip(block * 512).Take(512).Max(Math.Abs)).Max()).ToArray();
            for (var j = 0; j < dimension; j++)
            {
                var exact = BigInteger.Zero;
                var largest = largestOf[j / 512];
                for (var i = 0; i < count; i++)
                {
                    exact += Exact(weights[i] * vectors[i][j]);
                }

                var error = Math.Abs(Approximately(Exact(total[j]) - exact));
                var bound = (count * Math.ScaleB(largest, -44)) + (Math.Abs(total[j]) * Math.ScaleB(1, -51));
                Assert.True(error <= bound, $"coordinate {j}: error {error}, bound {bound}");
            }
        }

        [Fact]
        public void Keeps_every_bit_of_a_float_a_million_times_smaller_than_its_neighbour()
        {
            var sum = new ReproducibleSum<float>(2);
            sum.Add([1e6f, 1.2345678f]);
            sum.Add([1f, 1e-3f]);
            var total = new float[2];
            sum.Read(total);
            Assert.Equal([1000001f, 1.2345678f + 1e-3f], total);
        }

        [Fact]
        public void The_mean_of_equal_floats_is_that_float()
        {
            var random = SeededRandom.Derive(4, "equal");
            var vector = Enumerable.Range(0, 600).Select(_ => (float)random.NextNormal()).ToArray();
            for (var n = 1; n < 40; n++)
            {
                var sum = new ReproducibleSum<float>(600);
                for (var i = 0; i < n; i++)
                {
                    sum.Add(vector, 7.3);
                }

                var mean = new float[600];
                sum.Read(mean, n * 7.3);
                Assert.Equal(vector, mean);
            }
        }

        [Theory]
        [InlineData(1e-300)]
        [InlineData(1e-30)]
        [InlineData(1e30)]
        [InlineData(1e300)]
        public void Does_not_depend_on_the_unit(double unit)
        {
            var sum = new ReproducibleSum<double>(3);
            sum.Add([1 * unit, 2 * unit, -3 * unit], 0.5);
            sum.Add([1 * unit, 0.125 * unit, 3 * unit], 2);
            var total = new double[3];
            sum.Read(total);
            Assert.Equal(2.5, total[0] / unit, 1e-12);
            Assert.Equal(1.25, total[1] / unit, 1e-12);
            Assert.Equal(4.5, total[2] / unit, 1e-12);
        }

        [Fact]
        public void Denormal_floats_add_up()
        {
            var sum = new ReproducibleSum<float>(1);
            for (var i = 0; i < 10; i++)
            {
                sum.Add([float.Epsilon]);
            }

            var total = new float[1];
            sum.Read(total);
            Assert.Equal(10 * float.Epsilon, total[0]);
        }
    }

    public class Removal
    {
        [Fact]
        public void Leaves_the_bits_of_what_remains_when_bins_have_a_floor()
        {
            const int dimension = 1500;
            var vectors = Wild<float>(12, dimension, 11, 12);
            var random = SeededRandom.Derive(11, "removal");
            var running = new ReproducibleSum<float>(dimension, finest: 1);
            var held = new Dictionary<int, float[]>();
            for (var step = 0; step < 300; step++)
            {
                var client = random.NextInt(5);
                if (held.Remove(client, out var old))
                {
                    running.Remove(old, 0.3);
                }

                running.Add(held[client] = vectors[random.NextInt(vectors.Length)], 0.3);
            }

            var fresh = new ReproducibleSum<float>(dimension, finest: 1);
            foreach (var vector in held.Values)
            {
                fresh.Add(vector, 0.3);
            }

            var (expected, actual) = (new float[dimension], new float[dimension]);
            fresh.Read(expected);
            running.Read(actual);
            SameBits(expected, actual);
            Assert.Equal(held.Count, running.Count);
        }

        [Fact]
        public void Of_everything_leaves_zero()
        {
            var vectors = Wild<double>(9, 700, 12, 100);
            var sum = new ReproducibleSum<double>(700);
            foreach (var vector in vectors)
            {
                sum.Add(vector, 1.1);
            }

            foreach (var vector in vectors)
            {
                sum.Remove(vector, 1.1);
            }

            var total = new double[700];
            sum.Read(total);
            Assert.All(total, x => Assert.Equal(0, x));
        }
    }
}

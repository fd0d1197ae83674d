using System.Numerics;
using System.Runtime.InteropServices;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Randomness;

namespace Federated.Aggregation.Tests.Averaging;

public class ReproducibleSumTests
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

    public class Other_ways_in
    {
        [Theory]
        [InlineData(1)]
        [InlineData(2)]
        [InlineData(4)]
        public void Many_at_once_on_any_number_of_threads_give_the_bits_of_one_by_one(int threads)
        {
            Check<float>(threads);
            Check<double>(threads);
        }

        [Fact]
        public void Pieces_and_sparse_pieces_give_the_bits_of_the_whole()
        {
            const int dimension = 3000;
            var vectors = Wild<float>(6, dimension, 5, 30);
            var weights = Weights(6, 5);
            var expected = OneByOne(vectors, weights, Enumerable.Range(0, 6));
            var random = SeededRandom.Derive(5, "pieces");
            var sum = new ReproducibleSum<float>(dimension);
            for (var i = 0; i < vectors.Length; i++)
            {
                var term = sum.BeginTerm(weights[i]);
                for (var start = 0; start < dimension;)
                {
                    var length = Math.Min(1 + random.NextInt(900), dimension - start);
                    var piece = vectors[i].AsSpan(start, length);
                    if (random.NextInt(2) == 0)
                    {
                        term.AddBlock(start, piece);
                    }
                    else
                    {
                        var indices = Enumerable.Range(start, length).Where(j => vectors[i][j] != 0).ToArray();
                        term.AddSparse(indices, indices.Select(j => vectors[i][j]).ToArray());
                    }

                    start += length;
                }

                term.Complete();
            }

            var total = new float[dimension];
            sum.Read(total, 3.7);
            SameBits(expected, total);
            Assert.Equal(6, sum.Count);
        }

        [Fact]
        public void Pieces_out_of_order_or_out_of_range_are_refused()
        {
            static void Try(Action<SumTermBox> use) => Assert.Throws<ArgumentOutOfRangeException>(() => use(new SumTermBox()));
            Try(box => box.Run((0, 4), (3, 1)));
            Try(box => box.Run((8, 3)));
            Try(box => box.Run((-1, 1)));
        }

        [Fact]
        public void A_term_abandoned_before_its_first_piece_never_was()
        {
            var sum = new ReproducibleSum<float>(600);
            sum.BeginTerm().Abandon();
            Assert.Equal(0, sum.Count);
            sum.Add(new float[600]);
            var term = sum.BeginTerm();
            Assert.Throws<AggregationException>(() => sum.Add(new float[600]));
            term.AddBlock(0, new float[600]);
            term.Abandon();
            Assert.Contains("Reset", Assert.Throws<AggregationException>(() => sum.Read(new float[600])).Message);
        }

        private sealed class SumTermBox
        {
            public void Run(params (int Offset, int Length)[] pieces)
            {
                var term = new ReproducibleSum<float>(10).BeginTerm();
                foreach (var (offset, length) in pieces)
                {
                    term.AddBlock(offset, new float[length]);
                }
            }
        }

        private static void Check<T>(int threads)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            const int dimension = 70_001;
            var vectors = Wild<T>(7, dimension, 2, 30);
            var weights = Weights(7, 2);
            var expected = OneByOne(vectors, weights, Enumerable.Range(0, 7));
            var memories = vectors.Select(v => (ReadOnlyMemory<T>)v).ToArray();
            var total = new T[dimension];
            ReproducibleSum<T>.Combine(memories, weights, 3.7, total, threads);
            SameBits(expected, total);

            var sum = new ReproducibleSum<T>(dimension);
            sum.AddMany(memories.AsSpan(0, 4), weights.AsSpan(0, 4), threads);
            sum.Add(vectors[6], weights[6]);
            sum.AddMany(memories.AsSpan(4, 2), weights.AsSpan(4, 2), threads);
            sum.Read(total, 3.7);
            SameBits(expected, total);
            Assert.Equal(7, sum.Count);
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

    public class Refusals
    {
        [Theory]
        [InlineData(float.NaN)]
        [InlineData(float.PositiveInfinity)]
        public void A_value_that_is_not_finite_is_named_and_breaks_the_sum_until_reset(float bad)
        {
            var vector = new float[1300];
            vector[0] = 1;
            var sum = new ReproducibleSum<float>(1300);
            sum.Add(vector);
            vector[1234] = bad;
            var message = Assert.Throws<AggregationException>(() => sum.Add(vector)).Message;
            Assert.Contains("Coordinate 1234", message);
            Assert.Contains(bad.ToString(), message);
            Assert.Contains("Reset", Assert.Throws<AggregationException>(() => sum.Read(new float[1300])).Message);
            Assert.Contains("Reset", Assert.Throws<AggregationException>(() => sum.Add(new float[1300])).Message);
            sum.Reset();
            vector[1234] = 2;
            sum.Add(vector);
            var total = new float[1300];
            sum.Read(total);
            Assert.Equal(vector, total);
        }

        [Fact]
        public void It_is_found_in_the_first_vector_and_in_later_ones_and_on_threads()
        {
            var good = Enumerable.Repeat(1f, 40_000).ToArray();
            var bad = (float[])good.Clone();
            bad[39_999] = float.NegativeInfinity;
            foreach (var vectors in new float[][][] { [bad, good], [good, bad], [good, good, bad] })
            {
                var memories = vectors.Select(v => (ReadOnlyMemory<float>)v).ToArray();
                var weights = vectors.Select(_ => 1.0).ToArray();
                var message = Assert.Throws<AggregationException>(
                    () => ReproducibleSum<float>.Combine(memories, weights, 1, new float[40_000], 2)).Message;
                Assert.Contains("39999", message);
            }
        }

        [Fact]
        public void Products_beyond_the_range_are_refused()
        {
            var sum = new ReproducibleSum<double>(2);
            Assert.Contains("2^1011", Assert.Throws<AggregationException>(() => sum.Add([1, 1e300], 1e200)).Message);
            sum.Reset();
            Assert.Throws<AggregationException>(() => sum.Add([1, 1e305]));
        }

        [Fact]
        public void A_total_that_the_type_cannot_hold_is_refused()
        {
            var sum = new ReproducibleSum<float>(1);
            sum.Add([3e38f]);
            sum.Add([3e38f]);
            Assert.Contains("Single's range", Assert.Throws<AggregationException>(() => sum.Read(new float[1])).Message);
            var half = new float[1];
            sum.Read(half, 2);
            Assert.Equal(3e38f, half[0]);
        }

        [Fact]
        public void More_terms_than_the_headroom_are_refused_and_the_last_one_is_still_exact()
        {
            // Each term fills its bin to the limit: 2^20 − 1 of them come within one of wrapping the 64-bit sum.
            var term = Math.ScaleB(1.0, 43) - 1;
            var sum = new ReproducibleSum<double>(1);
            for (var i = 0; i < Bins.MaxTerms - 1; i++)
            {
                sum.Add([term]);
            }

            var total = new double[1];
            sum.Read(total);
            Assert.Equal(term * (Bins.MaxTerms - 1), total[0]);
            Assert.Contains("1048575", Assert.Throws<AggregationException>(() => sum.Add([1])).Message);
        }

        [Fact]
        public void Lengths_and_weights_are_checked()
        {
            var sum = new ReproducibleSum<float>(3);
            Assert.Throws<ArgumentOutOfRangeException>(() => sum.Add(new float[2]));
            Assert.Throws<ArgumentOutOfRangeException>(() => sum.Add(new float[3], double.NaN));
            Assert.Throws<ArgumentOutOfRangeException>(() => sum.Read(new float[4]));
            Assert.Throws<ArgumentOutOfRangeException>(() => sum.Read(new float[3], 0));
            Assert.Throws<NotSupportedException>(() => new ReproducibleSum<Half>(3));
            sum.Add([1, 2, 3]);
        }
    }

    public unsafe class Kernels
    {
        [Fact]
        public void Of_256_and_512_bits_do_the_same()
        {
            Check<float>();
            Check<double>();
        }

        private static void Check<T>()
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var random = SeededRandom.Derive(8, "kernels");
            for (var run = 0; run < 50; run++)
            {
                var values = Enumerable.Range(0, 512).Select(_ => T.CreateTruncating(random.NextNormal() * Math.ScaleB(1, random.NextInt(100) - 60))).ToArray();
                if (run % 10 == 9)
                {
                    values[random.NextInt(512)] = T.NaN;
                }

                var a = GC.AllocateArray<long>(BinnedBlock.Longs + 8, pinned: true);
                var b = GC.AllocateArray<long>(BinnedBlock.Longs + 8, pinned: true);
                fixed (T* x = values)
                fixed (long* p = a, q = b)
                {
                    var pa = (long*)(((nint)p + 63) & ~63);
                    var qa = (long*)(((nint)q + 63) & ~63);
                    var limit = Bins.Limit(0) / 0.7;
                    var first = BinnedBlock.Accumulate512<T, Plus>(x, x, 0.7, pa, 0, limit);
                    var second = BinnedBlock.Accumulate256<T, Plus>(x, x, 0.7, qa, 0, limit);
                    Assert.Equal(first, second);
                    Assert.True(new ReadOnlySpan<long>(pa, BinnedBlock.Longs).SequenceEqual(new ReadOnlySpan<long>(qa, BinnedBlock.Longs)));
                    BinnedBlock.Accumulate512<T, Minus>(x, x, 0.7, pa, 0, limit);
                    Assert.True(new ReadOnlySpan<long>(pa, BinnedBlock.Longs).IndexOfAnyExcept(0) < 0, "taking out leaves a trace");
                }
            }
        }
    }

    public class Bin_of_a_magnitude
    {
        [Fact]
        public void Is_the_finest_that_takes_it()
        {
            for (var e = -1060; e < 1011; e++)
            {
                foreach (var magnitude in new[] { Math.ScaleB(1, e), Math.ScaleB(1.999, e) })
                {
                    var bin = Bins.Of(magnitude);
                    Assert.InRange(bin, Bins.Lowest, Bins.Highest);
                    Assert.True(magnitude < Bins.Limit(bin));
                    Assert.True(bin == Bins.Lowest || magnitude >= Bins.Limit(bin - 1));
                }
            }

            Assert.True(Bins.Of(Math.ScaleB(1, 1011)) > Bins.Highest);
        }
    }
}

using System.Numerics;
using System.Runtime.Intrinsics;
using Federated.Aggregation.Randomness;
using Federated.Training.Kernels;

namespace Federated.Training.Tests.Kernels;

public sealed unsafe class MatrixMultiplyTests
{
    /// <summary>Rows, columns, depth: whole tiles, rests of every kind, less than one register, more than one block.</summary>
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 }, { 1, 200, 7 }, { 10, 10, 60 }, { 32, 200, 784 }, { 5, 33, 17 }, { 14, 32, 3 }, { 29, 65, 300 }, { 16, 16, 16 },
        { 3, 5, 2 }, { 200, 784, 10 }, { 61, 31, 15 }, { 1100, 40, 9 }, { 7, 48, 513 },
    };

    public static TheoryData<int, int, int> SmallShapes => new()
    {
        { 1, 1, 1 }, { 10, 10, 60 }, { 5, 33, 17 }, { 29, 65, 300 }, { 3, 5, 2 }, { 61, 31, 15 },
    };

    public sealed class Multiply
    {
        [Theory]
        [MemberData(nameof(Shapes), MemberType = typeof(MatrixMultiplyTests))]
        public void Agrees_with_the_definition(int m, int n, int k) => Check<double>(m, n, k, 1e-13, MatrixMultiply.Multiply);

        [Theory]
        [MemberData(nameof(Shapes), MemberType = typeof(MatrixMultiplyTests))]
        public void Agrees_with_the_definition_in_single_precision(int m, int n, int k) => Check<float>(m, n, k, 1e-5, MatrixMultiply.Multiply);

        [Theory]
        [MemberData(nameof(SmallShapes), MemberType = typeof(MatrixMultiplyTests))]
        public void Agrees_with_the_definition_on_256_bit_vectors(int m, int n, int k) =>
            Check<double>(m, n, k, 1e-13, MatrixMultiply.Multiply<double, Vector256<double>, Lanes256<double>>);

        [Theory]
        [MemberData(nameof(SmallShapes), MemberType = typeof(MatrixMultiplyTests))]
        public void Agrees_with_the_definition_on_default_vectors(int m, int n, int k) =>
            Check<float>(m, n, k, 1e-5, MatrixMultiply.Multiply<float, Vector<float>, LanesAny<float>>);

        [Fact]
        public void Sums_over_segments()
        {
            // Two segments of depth 3, as two kernel rows of a convolution: A rows overlap, B stands 5 apart.
            var a = Random(40, 1);
            var b = Random(400, 2);
            var c = new AlignedBuffer<double>(16);
            MatrixMultiply.Multiply(
                new Product<double>
                {
                    A = a.Pointer, RowStride = 2, SegmentStride = 11, DepthStride = 1,
                    B = b.Pointer, PanelStride = 16, PanelSegmentStride = 80,
                    C = c.Pointer, ResultStride = 4, Rows = 4, Columns = 4, Depth = 3, Segments = 2, Scale = 1,
                },
                new AlignedBuffer<double>());
            for (var r = 0; r < 4; r++)
            {
                for (var j = 0; j < 4; j++)
                {
                    var expected = 0.0;
                    for (var s = 0; s < 2; s++)
                    {
                        for (var k = 0; k < 3; k++)
                        {
                            expected += a.Span[(r * 2) + (s * 11) + k] * b.Span[(s * 80) + (k * 16) + j];
                        }
                    }

                    Assert.Equal(expected, c.Span[(r * 4) + j], 13);
                }
            }
        }

        private delegate void Kernel<T>(in Product<T> p, AlignedBuffer<T> scratch)
            where T : unmanaged;

        private static void Check<T>(int m, int n, int k, double tolerance, Kernel<T> kernel)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            foreach (var transposed in new[] { false, true })
            {
                foreach (var (keep, scale) in new[] { (0.0, 1.0), (1.0, -0.5), (0.75, 2.0) })
                {
                    var a = Convert<T>(Random(m * k, 1));
                    var b = Convert<T>(Random(k * n, 2));

                    // NaN where the kernel must not read (keep = 0), and a guard behind C that it must not touch.
                    var start = Random((m * n) + 64, 3);
                    var c = Convert<T>(start);
                    if (keep == 0)
                    {
                        c.Span[..(m * n)].Fill(T.NaN);
                    }

                    kernel(
                        new Product<T>
                        {
                            Rows = m, Columns = n, Depth = k, Segments = 1,
                            A = a.Pointer, RowStride = transposed ? 1 : k, DepthStride = transposed ? m : 1,
                            B = b.Pointer, PanelStride = n,
                            C = c.Pointer, ResultStride = n, Keep = T.CreateTruncating(keep), Scale = T.CreateTruncating(scale),
                        },
                        new AlignedBuffer<T>());
                    for (var r = 0; r < m; r++)
                    {
                        for (var j = 0; j < n; j++)
                        {
                            var sum = 0.0;
                            for (var i = 0; i < k; i++)
                            {
                                sum += Double(a.Span[transposed ? (i * m) + r : (r * k) + i]) * Double(b.Span[(i * n) + j]);
                            }

                            var expected = (keep == 0 ? 0 : keep * start.Span[(r * n) + j]) + (scale * sum);
                            Assert.True(
                                Math.Abs(expected - Double(c.Span[(r * n) + j])) <= tolerance * (1 + k),
                                $"({r}, {j}) of {m}×{n}×{k}, transposed {transposed}, keep {keep}: expected {expected}, was {c.Span[(r * n) + j]}");
                        }
                    }

                    for (var i = m * n; i < start.Length; i++)
                    {
                        Assert.Equal(T.CreateTruncating(start.Span[i]), c.Span[i]);
                    }
                }
            }
        }
    }

    public sealed class MultiplyTransposed
    {
        [Theory]
        [MemberData(nameof(Shapes), MemberType = typeof(MatrixMultiplyTests))]
        public void Agrees_with_the_definition(int m, int n, int k) => Check<double>(m, n, k, 1e-13, MatrixMultiply.MultiplyTransposed);

        [Theory]
        [MemberData(nameof(SmallShapes), MemberType = typeof(MatrixMultiplyTests))]
        public void Agrees_with_the_definition_on_256_bit_vectors(int m, int n, int k) =>
            Check<float>(m, n, k, 1e-5, MatrixMultiply.MultiplyTransposed<float, Vector256<float>, Lanes256<float>>);

        [Theory]
        [MemberData(nameof(SmallShapes), MemberType = typeof(MatrixMultiplyTests))]
        public void Agrees_with_the_definition_on_default_vectors(int m, int n, int k) =>
            Check<double>(m, n, k, 1e-13, MatrixMultiply.MultiplyTransposed<double, Vector<double>, LanesAny<double>>);

        [Fact]
        public void Gives_a_row_the_same_bits_whatever_rows_stand_beside_it()
        {
            var a = Convert<float>(Random(13 * 77, 1));
            var b = Convert<float>(Random(23 * 77, 2));
            var bias = Convert<float>(Random(23, 3));
            var all = new AlignedBuffer<float>(13 * 23);
            var one = new AlignedBuffer<float>(23);
            MatrixMultiply.MultiplyTransposed(a.Pointer, 77, b.Pointer, 77, bias.Pointer, all.Pointer, 23, 13, 23, 77, new AlignedBuffer<float>());
            for (var r = 0; r < 13; r++)
            {
                MatrixMultiply.MultiplyTransposed(
                    a.Pointer + (r * 77), 77, b.Pointer, 77, bias.Pointer, one.Pointer, 23, 1, 23, 77, new AlignedBuffer<float>());
                Assert.Equal(all.Span.Slice(r * 23, 23).ToArray(), one.Span[..23].ToArray());
            }
        }

        private delegate void Kernel<T>(
            T* a, nint strideA, T* b, nint strideB, T* bias, T* c, nint strideC, int m, int n, int k, AlignedBuffer<T> scratch)
            where T : unmanaged;

        private static void Check<T>(int m, int n, int k, double tolerance, Kernel<T> kernel)
            where T : unmanaged, IBinaryFloatingPointIeee754<T>
        {
            var a = Convert<T>(Random(m * k, 1));
            var b = Convert<T>(Random(n * k, 2));
            var bias = Convert<T>(Random(n, 3));
            var stride = n + 3;
            var c = new AlignedBuffer<T>(m * stride);
            c.Span.Fill(T.One);
            kernel(a.Pointer, k, b.Pointer, k, bias.Pointer, c.Pointer, stride, m, n, k, new AlignedBuffer<T>());
            for (var r = 0; r < m; r++)
            {
                for (var j = 0; j < stride; j++)
                {
                    var expected = j < n ? Double(bias.Span[j]) : 1.0;
                    for (var i = 0; j < n && i < k; i++)
                    {
                        expected += Double(a.Span[(r * k) + i]) * Double(b.Span[(j * k) + i]);
                    }

                    Assert.True(
                        Math.Abs(expected - Double(c.Span[(r * stride) + j])) <= tolerance * (1 + k),
                        $"({r}, {j}) of {m}×{n}×{k}: expected {expected}, was {c.Span[(r * stride) + j]}");
                }
            }
        }
    }

    private static AlignedBuffer<double> Random(int length, ulong seed)
    {
        var random = new SeededRandom(seed);
        var buffer = new AlignedBuffer<double>(length);
        for (var i = 0; i < length; i++)
        {
            // Single-precision values, so that the reference multiplies the same numbers.
            buffer.Span[i] = (float)((2 * random.NextDouble()) - 1);
        }

        return buffer;
    }

    private static AlignedBuffer<T> Convert<T>(AlignedBuffer<double> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var buffer = new AlignedBuffer<T>(values.Length);
        for (var i = 0; i < values.Length; i++)
        {
            buffer.Span[i] = T.CreateTruncating(values.Span[i]);
        }

        return buffer;
    }

    private static double Double<T>(T value)
        where T : IBinaryFloatingPointIeee754<T> => double.CreateTruncating(value);
}

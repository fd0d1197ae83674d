using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Federated.Aggregation.Robust.Kernels;

/// <summary>‖x_i − x_j‖² for all pairs of n held updates.</summary>
/// <remarks>
/// Differences are formed and squared, not ‖x‖² + ‖y‖² − 2⟨x,y⟩: that form cancels where updates are close to each other compared with
/// their length, as updates late in training and models always are. Updates of floats take <see cref="FloatDistances"/>, unless squares
/// leave float's range or two updates are equal; everything else is done in double.
/// Cost: d·n²/2 subtractions and as many fused multiply-adds; memory: at most sixteen n×n tables.
/// </remarks>
internal static unsafe class PairwiseDistances
{
    // Partial sums are kept per stretch and added in order; the number of stretches is bounded so that large n stays affordable.
    private const int MaximumStretches = 16;

    private const int Unit = 512;

    /// <summary>The symmetric table, row-major, n × n, zeros on the diagonal.</summary>
    public static double[] Squared<T>(HeldUpdates<T> updates)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (updates.Dimension == 0)
        {
            return new double[updates.Count * updates.Count];
        }

        if (updates is HeldUpdates<float> floats)
        {
            var fast = ByStretches(floats, (start, end, sums) => FloatDistances.Add(floats, start, end, sums));
            if (FloatDistances.IsExactEnough(fast, floats.Count, floats.Dimension))
            {
                return fast;
            }
        }

        return ByStretches(updates, (start, end, sums) => Add(updates, start, end, sums));
    }

    private static double[] ByStretches<T>(HeldUpdates<T> updates, Action<int, int, double[]> add)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = updates.Count;
        var d = updates.Dimension;
        var table = new double[n * n];
        var stretch = Math.Max(CoordinateBlocks.Stretch, ((d / MaximumStretches / Unit) + 1) * Unit);
        var stretches = ((d - 1) / stretch) + 1;
        var partial = new double[stretches][];
        CoordinateBlocks.ForEach(
            stretches,
            updates.Threads,
            index => add(index * stretch, (int)Math.Min(d, (long)(index + 1) * stretch), partial[index] = new double[n * n]));
        for (var i = 0; i < n; i++)
        {
            for (var j = i + 1; j < n; j++)
            {
                var sum = 0.0;
                foreach (var part in partial)
                {
                    sum += part[(i * n) + j];
                }

                table[(i * n) + j] = table[(j * n) + i] = sum;
            }
        }

        return table;
    }

    private static void Add<T>(HeldUpdates<T> updates, int start, int end, double[] sums)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // One block of all n rows, widened, should stay in the first cache level.
        var n = updates.Count;
        var block = Math.Clamp(4096 / Math.Max(1, n) / Wide.Count * Wide.Count, Wide.Count, 512);
        var rows = (double*)NativeMemory.AlignedAlloc((nuint)((long)n * block * sizeof(double)), 64);
        try
        {
            for (; start < end; start += block)
            {
                var length = Math.Min(block, end - start);
                for (var i = 0; i < n; i++)
                {
                    Wide.Spread(updates[i].Slice(start, length), rows + ((long)i * block));
                }

                AddBlock(rows, n, block, (length + Wide.Count - 1) / Wide.Count * Wide.Count, sums);
            }
        }
        finally
        {
            NativeMemory.AlignedFree(rows);
        }
    }

    // Two rows against four at a time: six loads feed sixteen operations, in eight independent chains.
    private static void AddBlock(double* rows, int n, int stride, int length, double[] sums)
    {
        var i = 0;
        for (; i + 2 <= n; i += 2)
        {
            var x = rows + ((long)i * stride);
            sums[(i * n) + i + 1] += One(x, x + stride, length);
            var j = i + 2;
            for (; j + 4 <= n; j += 4)
            {
                TwoByFour(x, rows + ((long)j * stride), stride, length, ref sums[(i * n) + j], ref sums[((i + 1) * n) + j]);
            }

            for (; j < n; j++)
            {
                var y = rows + ((long)j * stride);
                sums[(i * n) + j] += One(x, y, length);
                sums[((i + 1) * n) + j] += One(x + stride, y, length);
            }
        }
    }

    private static void TwoByFour(double* x, double* y, int stride, int length, ref double first, ref double second)
    {
        var (a0, a1, a2, a3) = (Vector512<double>.Zero, Vector512<double>.Zero, Vector512<double>.Zero, Vector512<double>.Zero);
        var (b0, b1, b2, b3) = (Vector512<double>.Zero, Vector512<double>.Zero, Vector512<double>.Zero, Vector512<double>.Zero);
        var y1 = y + stride;
        var y2 = y1 + stride;
        var y3 = y2 + stride;
        for (var k = 0; k < length; k += 8)
        {
            var left = Vector512.LoadAligned(x + k);
            var right = Vector512.LoadAligned(x + stride + k);
            var other = Vector512.LoadAligned(y + k);
            a0 = AddSquare(left - other, a0);
            b0 = AddSquare(right - other, b0);
            other = Vector512.LoadAligned(y1 + k);
            a1 = AddSquare(left - other, a1);
            b1 = AddSquare(right - other, b1);
            other = Vector512.LoadAligned(y2 + k);
            a2 = AddSquare(left - other, a2);
            b2 = AddSquare(right - other, b2);
            other = Vector512.LoadAligned(y3 + k);
            a3 = AddSquare(left - other, a3);
            b3 = AddSquare(right - other, b3);
        }

        AddSums(a0, a1, a2, a3, ref first);
        AddSums(b0, b1, b2, b3, ref second);
    }

    private static double One(double* x, double* y, int length)
    {
        var sum = Vector512<double>.Zero;
        for (var k = 0; k < length; k += 8)
        {
            sum = AddSquare(Vector512.LoadAligned(x + k) - Vector512.LoadAligned(y + k), sum);
        }

        return Wide.Sum(sum);
    }

    private static void AddSums(Vector512<double> s0, Vector512<double> s1, Vector512<double> s2, Vector512<double> s3, ref double sums)
    {
        sums += Wide.Sum(s0);
        Unsafe.Add(ref sums, 1) += Wide.Sum(s1);
        Unsafe.Add(ref sums, 2) += Wide.Sum(s2);
        Unsafe.Add(ref sums, 3) += Wide.Sum(s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> AddSquare(Vector512<double> difference, Vector512<double> sum) =>
        Vector512.FusedMultiplyAdd(difference, difference, sum);
}

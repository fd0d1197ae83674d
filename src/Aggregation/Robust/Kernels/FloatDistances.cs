using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Federated.Aggregation.Robust.Kernels;

/// <summary>‖x_i − x_j‖² for all pairs of n held updates of floats, twice as fast as in double.</summary>
/// <remarks>
/// Differences and squares are formed in float: both round once, relative to the difference itself, so that nothing cancels however close
/// two updates are. Sixteen lanes of at most 32 squares each are then added up in double: relative error at most 35·2⁻²⁴, about 2·10⁻⁶.
/// Squares may leave float's range; <see cref="IsExactEnough"/> says so, and the caller does it in double. Cost: d·n²/2 subtractions and as many
/// fused multiply-adds, sixteen at a time, straight from the updates.
/// </remarks>
internal static unsafe class FloatDistances
{
    /// <summary>Coordinates that a register holds.</summary>
    private const int Lanes = 16;

    /// <summary>Most coordinates per block: 32 squares in each lane.</summary>
    private const int LargestBlock = 32 * Lanes;

    /// <summary>A sum of squares below this many per coordinate may have lost what underflowed.</summary>
    private const double SmallestSquare = 1e-37;

    /// <summary>Adds the squared distances over coordinates [start, end) to the upper triangle of a table.</summary>
    /// <param name="table">n × n, row-major.</param>
    public static void Add(HeldUpdates<float> updates, int start, int end, double[] table)
    {
        var n = updates.Count;
        var handles = new MemoryHandle[n];
        var rows = (float**)NativeMemory.Alloc((nuint)n, (nuint)sizeof(float*));
        var rest = (end - start) % Lanes;
        var padded = (float*)NativeMemory.AllocZeroed((nuint)n * Lanes, sizeof(float));
        try
        {
            for (var i = 0; i < n; i++)
            {
                handles[i] = updates.Vectors[i].Pin();
                rows[i] = (float*)handles[i].Pointer + start;
                updates[i][(end - rest)..end].CopyTo(new Span<float>(padded + ((long)i * Lanes), rest));
            }

            // One block of all rows should stay in the first cache level.
            var block = Math.Clamp(8192 / n / Lanes * Lanes, 4 * Lanes, LargestBlock);
            for (var left = end - start - rest; left > 0; left -= block)
            {
                var length = Math.Min(block, left);
                AddBlock(rows, n, length, table);
                for (var i = 0; i < n; i++)
                {
                    rows[i] += length;
                }
            }

            if (rest > 0)
            {
                for (var i = 0; i < n; i++)
                {
                    rows[i] = padded + ((long)i * Lanes);
                }

                AddBlock(rows, n, Lanes, table);
            }
        }
        finally
        {
            NativeMemory.Free(padded);
            NativeMemory.Free(rows);
            foreach (var handle in handles)
            {
                handle.Dispose();
            }
        }
    }

    /// <summary>Whether all entries above the diagonal stayed within float's range, so that the error bound holds.</summary>
    public static bool IsExactEnough(double[] table, int n, int dimension)
    {
        for (var i = 0; i < n; i++)
        {
            for (var j = i + 1; j < n; j++)
            {
                var entry = table[(i * n) + j];
                if (!double.IsFinite(entry) || entry < SmallestSquare * dimension)
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static void AddBlock(float** rows, int n, int length, double[] sums)
    {
        var whole = n - (n % 4);
        for (var i = 0; i < whole; i += 4)
        {
            Among(rows + i, length, n, ref sums[(i * n) + i]);
            for (var j = i + 4; j < whole; j += 4)
            {
                FourByFour(rows + i, rows + j, length, n, ref sums[(i * n) + j]);
            }

            for (var j = whole; j < n; j++)
            {
                FourByOne(rows + i, rows[j], length, n, ref sums[(i * n) + j]);
            }
        }

        for (var i = whole; i < n; i++)
        {
            for (var j = i + 1; j < n; j++)
            {
                var sum = Vector512<float>.Zero;
                for (var k = 0; k < length; k += Lanes)
                {
                    sum = AddSquare(Vector512.Load(rows[i] + k), Vector512.Load(rows[j] + k), sum);
                }

                sums[(i * n) + j] += Sum(sum);
            }
        }
    }

    /// <summary>Four rows against four others: eight loads feed thirty-two operations, in sixteen independent chains.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourByFour(float** x, float** y, int length, int n, ref double sums)
    {
        var (a0, a1, a2, a3) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        var (b0, b1, b2, b3) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        var (c0, c1, c2, c3) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        var (d0, d1, d2, d3) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        float* x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
        float* y0 = y[0], y1 = y[1], y2 = y[2], y3 = y[3];
        for (var k = 0; k < length; k += Lanes)
        {
            var (a, b, c, d) = (Vector512.Load(x0 + k), Vector512.Load(x1 + k), Vector512.Load(x2 + k), Vector512.Load(x3 + k));
            var other = Vector512.Load(y0 + k);
            (a0, b0, c0, d0) = (AddSquare(a, other, a0), AddSquare(b, other, b0), AddSquare(c, other, c0), AddSquare(d, other, d0));
            other = Vector512.Load(y1 + k);
            (a1, b1, c1, d1) = (AddSquare(a, other, a1), AddSquare(b, other, b1), AddSquare(c, other, c1), AddSquare(d, other, d1));
            other = Vector512.Load(y2 + k);
            (a2, b2, c2, d2) = (AddSquare(a, other, a2), AddSquare(b, other, b2), AddSquare(c, other, c2), AddSquare(d, other, d2));
            other = Vector512.Load(y3 + k);
            (a3, b3, c3, d3) = (AddSquare(a, other, a3), AddSquare(b, other, b3), AddSquare(c, other, c3), AddSquare(d, other, d3));
        }

        AddSums(a0, a1, a2, a3, ref sums);
        AddSums(b0, b1, b2, b3, ref Unsafe.Add(ref sums, n));
        AddSums(c0, c1, c2, c3, ref Unsafe.Add(ref sums, 2 * n));
        AddSums(d0, d1, d2, d3, ref Unsafe.Add(ref sums, 3 * n));
    }

    private static void FourByOne(float** x, float* y, int length, int n, ref double sums)
    {
        var (a, b, c, d) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        float* x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
        for (var k = 0; k < length; k += Lanes)
        {
            var other = Vector512.Load(y + k);
            a = AddSquare(Vector512.Load(x0 + k), other, a);
            b = AddSquare(Vector512.Load(x1 + k), other, b);
            c = AddSquare(Vector512.Load(x2 + k), other, c);
            d = AddSquare(Vector512.Load(x3 + k), other, d);
        }

        sums += Sum(a);
        Unsafe.Add(ref sums, n) += Sum(b);
        Unsafe.Add(ref sums, 2 * n) += Sum(c);
        Unsafe.Add(ref sums, 3 * n) += Sum(d);
    }

    /// <summary>The six pairs of four rows.</summary>
    private static void Among(float** x, int length, int n, ref double sums)
    {
        var (ab, ac, ad) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        var (bc, bd, cd) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        float* x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
        for (var k = 0; k < length; k += Lanes)
        {
            var (a, b, c, d) = (Vector512.Load(x0 + k), Vector512.Load(x1 + k), Vector512.Load(x2 + k), Vector512.Load(x3 + k));
            (ab, ac, ad) = (AddSquare(a, b, ab), AddSquare(a, c, ac), AddSquare(a, d, ad));
            (bc, bd, cd) = (AddSquare(b, c, bc), AddSquare(b, d, bd), AddSquare(c, d, cd));
        }

        Unsafe.Add(ref sums, 1) += Sum(ab);
        Unsafe.Add(ref sums, 2) += Sum(ac);
        Unsafe.Add(ref sums, 3) += Sum(ad);
        Unsafe.Add(ref sums, n + 2) += Sum(bc);
        Unsafe.Add(ref sums, n + 3) += Sum(bd);
        Unsafe.Add(ref sums, (2 * n) + 3) += Sum(cd);
    }

    private static void AddSums(Vector512<float> s0, Vector512<float> s1, Vector512<float> s2, Vector512<float> s3, ref double sums)
    {
        sums += Sum(s0);
        Unsafe.Add(ref sums, 1) += Sum(s1);
        Unsafe.Add(ref sums, 2) += Sum(s2);
        Unsafe.Add(ref sums, 3) += Sum(s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Sum(Vector512<float> lanes)
    {
        var (lower, upper) = Vector512.Widen(lanes);
        return Wide.Sum(lower + upper);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> AddSquare(Vector512<float> x, Vector512<float> y, Vector512<float> sum)
    {
        var difference = x - y;
        return Vector512.FusedMultiplyAdd(difference, difference, sum);
    }
}

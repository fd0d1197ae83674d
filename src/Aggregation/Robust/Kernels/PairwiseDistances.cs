using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Federated.Aggregation.Robust.Kernels;

/// <summary>‖x_i − x_j‖² for all pairs of n held updates.</summary>
/// <remarks>
/// Differences are formed and squared in double, not by ‖x‖² + ‖y‖² − 2⟨x,y⟩: that form cancels, and with one huge vector among them all
/// honest distances would be lost. Cost: d·n²/2 subtractions and as many fused multiply-adds; memory: at most sixteen n×n tables.
/// </remarks>
internal static unsafe class PairwiseDistances
{
    // Partial sums are kept per stretch and added in order; the number of stretches is bounded so that large n stays affordable.
    private const int MaximumStretches = 16;

    /// <summary>The symmetric table, row-major, n × n, zeros on the diagonal.</summary>
    public static double[] Squared<T>(HeldUpdates<T> updates)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = updates.Count;
        var d = updates.Dimension;
        var table = new double[n * n];
        if (d == 0)
        {
            return table;
        }

        // One block of all n rows, widened, should stay in the first cache level.
        var block = Math.Clamp(4096 / Math.Max(1, n) / Wide.Count * Wide.Count, Wide.Count, 512);
        var stretch = Math.Max(CoordinateBlocks.Stretch, ((d / MaximumStretches / block) + 1) * block);
        var stretches = ((d - 1) / stretch) + 1;
        var partial = new double[stretches][];
        CoordinateBlocks.ForEach(stretches, updates.Threads, index =>
        {
            partial[index] = new double[n * n];
            var rows = (double*)NativeMemory.AlignedAlloc((nuint)((long)n * block * sizeof(double)), 64);
            try
            {
                var end = Math.Min(d, (long)(index + 1) * stretch);
                for (var start = index * stretch; start < end; start += block)
                {
                    var length = (int)Math.Min(block, end - start);
                    for (var i = 0; i < n; i++)
                    {
                        Wide.Spread(updates[i].Slice(start, length), rows + ((long)i * block));
                    }

                    AddBlock(rows, n, block, (length + Wide.Count - 1) / Wide.Count * Wide.Count, partial[index]);
                }
            }
            finally
            {
                NativeMemory.AlignedFree(rows);
            }
        });

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

    private static void AddBlock(double* rows, int n, int stride, int length, double[] sums)
    {
        for (var i = 0; i < n; i++)
        {
            var x = rows + ((long)i * stride);
            var j = i + 1;
            for (; j + 4 <= n; j += 4)
            {
                var y = rows + ((long)j * stride);
                var (s0, s1, s2, s3) = (Vector512<double>.Zero, Vector512<double>.Zero, Vector512<double>.Zero, Vector512<double>.Zero);
                for (var k = 0; k < length; k += 8)
                {
                    var left = Vector512.LoadAligned(x + k);
                    var d0 = left - Vector512.LoadAligned(y + k);
                    var d1 = left - Vector512.LoadAligned(y + stride + k);
                    var d2 = left - Vector512.LoadAligned(y + (2L * stride) + k);
                    var d3 = left - Vector512.LoadAligned(y + (3L * stride) + k);
                    s0 = Vector512.FusedMultiplyAdd(d0, d0, s0);
                    s1 = Vector512.FusedMultiplyAdd(d1, d1, s1);
                    s2 = Vector512.FusedMultiplyAdd(d2, d2, s2);
                    s3 = Vector512.FusedMultiplyAdd(d3, d3, s3);
                }

                var cell = (i * n) + j;
                sums[cell] += Wide.Sum(s0);
                sums[cell + 1] += Wide.Sum(s1);
                sums[cell + 2] += Wide.Sum(s2);
                sums[cell + 3] += Wide.Sum(s3);
            }

            for (; j < n; j++)
            {
                var y = rows + ((long)j * stride);
                var s = Vector512<double>.Zero;
                for (var k = 0; k < length; k += 8)
                {
                    var difference = Vector512.LoadAligned(x + k) - Vector512.LoadAligned(y + k);
                    s = Vector512.FusedMultiplyAdd(difference, difference, s);
                }

                sums[(i * n) + j] += Wide.Sum(s);
            }
        }
    }
}

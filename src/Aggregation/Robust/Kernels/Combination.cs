using System.Numerics;
using System.Runtime.Intrinsics;

namespace Federated.Aggregation.Robust.Kernels;

/// <summary>
/// Points that are linear combinations v = Σ c_i x_i of held vectors. Iterative rules move the coefficients only: v itself stays in
/// double, one block at a time, until the last step writes it.
/// </summary>
internal static unsafe class Combination
{
    private const int Block = 512;

    /// <summary>Writes Σ c_i x_i / <paramref name="divisor"/>, summed in double in index order; vectors with c_i = 0 are not read.</summary>
    public static void Write<T>(HeldUpdates<T> vectors, double[] coefficients, double divisor, Span<T> result)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CoordinateBlocks.Run(result, vectors.Threads, (start, part) =>
        {
            var sum = stackalloc double[Block];
            var scale = Vector512.Create(divisor);
            for (var offset = 0; offset < part.Length; offset += Block)
            {
                var length = Math.Min(Block, part.Length - offset);
                Sum(vectors, coefficients, start + offset, length, sum);
                var whole = length - (length % Wide.Count);
                fixed (T* target = part[offset..])
                {
                    for (var j = 0; j < whole; j += Wide.Count)
                    {
                        Wide.Store(Vector512.Load(sum + j) / scale, Vector512.Load(sum + j + 8) / scale, target + j);
                    }

                    for (var j = whole; j < length; j++)
                    {
                        target[j] = T.CreateTruncating(sum[j] / divisor);
                    }
                }
            }
        });
    }

    /// <summary>‖x_i − v‖² for the first <paramref name="count"/> vectors, v = Σ c_j x_j over all of them (the origin when every c_j is 0).</summary>
    public static double[] SquaredDistances<T>(HeldUpdates<T> vectors, int count, double[] coefficients)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var d = vectors.Dimension;
        var partial = new double[CoordinateBlocks.Count(d)][];
        CoordinateBlocks.ForEach(partial.Length, vectors.Threads, index =>
        {
            var sums = new double[count];
            var point = stackalloc double[Block];
            var end = (int)Math.Min(d, (long)(index + 1) * CoordinateBlocks.Stretch);
            for (var start = index * CoordinateBlocks.Stretch; start < end; start += Block)
            {
                var length = Math.Min(Block, end - start);
                Sum(vectors, coefficients, start, length, point);
                for (var i = 0; i < count; i++)
                {
                    sums[i] += SquaredDistance(vectors[i].Slice(start, length), point);
                }
            }

            partial[index] = sums;
        });

        var distances = new double[count];
        foreach (var sums in partial)
        {
            for (var i = 0; i < count; i++)
            {
                distances[i] += sums[i];
            }
        }

        return distances;
    }

    private static double SquaredDistance<T>(ReadOnlySpan<T> x, double* y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (s0, s1) = (Vector512<double>.Zero, Vector512<double>.Zero);
        var k = 0;
        fixed (T* first = x)
        {
            for (; k + Wide.Count <= x.Length; k += Wide.Count)
            {
                var (lower, upper) = Wide.Load(first + k);
                var d0 = lower - Vector512.Load(y + k);
                var d1 = upper - Vector512.Load(y + k + 8);
                s0 = Vector512.FusedMultiplyAdd(d0, d0, s0);
                s1 = Vector512.FusedMultiplyAdd(d1, d1, s1);
            }
        }

        var sum = Wide.Sum(s0 + s1);
        for (; k < x.Length; k++)
        {
            var difference = double.CreateTruncating(x[k]) - y[k];
            sum = Math.FusedMultiplyAdd(difference, difference, sum);
        }

        return sum;
    }

    // Writes Σ c_i x_i over [start, start + length), zeros behind it up to a whole unit.
    private static void Sum<T>(HeldUpdates<T> vectors, double[] coefficients, int start, int length, double* sum)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        new Span<double>(sum, Block).Clear();
        var whole = length - (length % Wide.Count);
        for (var i = 0; i < coefficients.Length; i++)
        {
            if (coefficients[i] == 0)
            {
                continue;
            }

            var source = vectors[i].Slice(start, length);
            var factor = Vector512.Create(coefficients[i]);
            fixed (T* first = source)
            {
                for (var j = 0; j < whole; j += Wide.Count)
                {
                    var (lower, upper) = Wide.Load(first + j);
                    Vector512.FusedMultiplyAdd(lower, factor, Vector512.Load(sum + j)).Store(sum + j);
                    Vector512.FusedMultiplyAdd(upper, factor, Vector512.Load(sum + j + 8)).Store(sum + j + 8);
                }
            }

            for (var j = whole; j < length; j++)
            {
                sum[j] = Math.FusedMultiplyAdd(double.CreateTruncating(source[j]), coefficients[i], sum[j]);
            }
        }
    }
}

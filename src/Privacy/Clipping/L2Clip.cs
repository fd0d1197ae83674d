using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Clipping;

/// <summary>
/// Scales a vector down to a given L2 norm: after it ‖x‖₂ ≤ C holds exactly, whatever the client sent. A vector with a NaN or an infinity
/// becomes zero, before any norm is taken.
/// </summary>
/// <remarks>
/// Norms are summed in double, by blocks of 2¹⁶ in ascending order, so that the thread count does not change a bit. The factor is
/// C/‖x‖·(1 − 2⁻²²): rounding d products to floats can lengthen a vector by a relative 2⁻²⁴, which would break the sensitivity.
/// Cost: two passes over d coordinates, about 10 GB/s a core each.
/// </remarks>
public static class L2Clip
{
    /// <summary>What the factor gives away so that no rounding lengthens the result beyond the bound.</summary>
    private const double Safety = 1 - (1.0 / (1 << 22));

    /// <summary>Relative error that the double sum of squares is trusted to.</summary>
    private const double NormSlack = 1e-8;

    /// <summary>Bounds below this would be reached by subnormal rounding.</summary>
    private const double SmallestBound = 1e-20;

    /// <summary>Clips in place.</summary>
    /// <param name="vector">d coordinates, one client's whole update.</param>
    /// <param name="bound">C, a public constant.</param>
    /// <param name="maxThreads">0: as many as the machine has.</param>
    public static ClipReport Apply<T>(Span<T> vector, double bound, int maxThreads = 0)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (factor, report) = Factor<T>(vector, bound, maxThreads);
        if (factor == 0)
        {
            vector.Clear();
        }
        else if (factor != 1)
        {
            BlockParallel.ForEachBlock(vector, maxThreads, (block, _) => Scale(block, factor));
        }

        return report;
    }

    /// <summary>The factor in [0, 1] that clips, without applying it; 0 for a vector that is not finite.</summary>
    internal static (double Factor, ClipReport Report) Factor<T>(Span<T> vector, double bound, int maxThreads)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        CheckBound(bound);
        var norm = Norm(vector, maxThreads);
        if (!double.IsFinite(norm))
        {
            return (0, new ClipReport(0, Clipped: true, WasFinite: false));
        }

        return norm * (1 + NormSlack) <= bound
            ? (1, new ClipReport(norm, Clipped: false, WasFinite: true))
            : (bound / norm * Safety, new ClipReport(norm, Clipped: true, WasFinite: true));
    }

    /// <summary>‖x‖₂, in double; NaN or infinite exactly when a coordinate is.</summary>
    public static double Norm<T>(ReadOnlySpan<T> vector)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Norm(MemoryMarshal.CreateSpan(ref MemoryMarshal.GetReference(vector), vector.Length), maxThreads: 1);

    internal static double Norm<T>(Span<T> vector, int maxThreads)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var norm = Math.Sqrt(SumOfSquares(vector, 1, maxThreads));
        if (double.IsFinite(norm) || typeof(T) == typeof(float))
        {
            return norm; // 3·10³⁸ squared and summed 2³¹ times is far below the largest double
        }

        var largest = 0.0;
        foreach (var x in vector)
        {
            largest = Math.Max(largest, Math.Abs(double.CreateTruncating(x)));
        }

        // A power of two, so that scaling is exact: finite squares that overflowed get their true norm.
        var scale = Math.ScaleB(1, -Math.ILogB(largest));
        return double.IsFinite(largest) ? Math.Sqrt(SumOfSquares(vector, scale, maxThreads)) / scale : largest;
    }

    internal static void CheckBound(double bound)
    {
        if (!(bound >= SmallestBound) || !double.IsFinite(bound))
        {
            throw new PrivacyException($"A clipping bound must be finite and at least {SmallestBound}; it is {bound}.");
        }
    }

    internal static void Scale<T>(Span<T> values, double factor)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var done = 0;
        if (factor > 1e-30)
        {
            // Below that a float factor may be subnormal and lose its precision: the loop underneath multiplies in double.
            var vectors = MemoryMarshal.Cast<T, Vector<T>>(values);
            var factors = new Vector<T>(T.CreateTruncating(factor));
            for (var i = 0; i < vectors.Length; i++)
            {
                vectors[i] *= factors;
            }

            done = vectors.Length * Vector<T>.Count;
        }

        for (var i = done; i < values.Length; i++)
        {
            values[i] = T.CreateTruncating(double.CreateTruncating(values[i]) * factor);
        }
    }

    private static double SumOfSquares<T>(Span<T> vector, double scale, int maxThreads)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sums = new double[(vector.Length + BlockParallel.BlockLength - 1) / BlockParallel.BlockLength];
        BlockParallel.ForEachBlock(vector, maxThreads, (block, index) => sums[index] = BlockSum(block, scale));
        var total = 0.0;
        foreach (var sum in sums)
        {
            total += sum;
        }

        return total;
    }

    private static double BlockSum<T>(ReadOnlySpan<T> block, double scale)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sum = 0.0;
        var done = 0;
        if (typeof(T) == typeof(float))
        {
            // Eight double lanes whatever the machine's width, so that the order of additions is the same everywhere.
            var vectors = MemoryMarshal.Cast<T, Vector256<float>>(block);
            var low = Vector256<double>.Zero;
            var high = low;
            foreach (var v in vectors)
            {
                var (l, h) = Vector256.Widen(v);
                low += l * l;
                high += h * h;
            }

            sum = Vector256.Sum(low + high);
            done = vectors.Length * 8;
        }

        for (var i = done; i < block.Length; i++)
        {
            var x = double.CreateTruncating(block[i]) * scale;
            sum += x * x;
        }

        return sum;
    }
}

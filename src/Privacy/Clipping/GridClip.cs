using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Clipping;

/// <summary>
/// Clips a vector and moves it to a fixed grid, checking the bound in integer arithmetic: what leaves is γ·k with k integer and
/// Σ k² ≤ ⌊C/γ⌋², so that sums are exact, their sensitivity is exactly C, and integer noise protects them exactly.
/// </summary>
/// <remarks>
/// privacy.md §1.7, the integer boundary recipe. Rounding is to nearest: it may lengthen the vector by γ√d/2, in which case the vector is
/// shrunk and rounded again until the check holds. Bias is below γ/2 a coordinate; choose γ well below C/√d.
/// Cost: three passes over d coordinates.
/// </remarks>
public sealed class GridClip
{
    private readonly UInt128 largestSquare;

    /// <param name="bound">C.</param>
    /// <param name="step">γ, a power of two at most C.</param>
    public GridClip(double bound, double step)
    {
        L2Clip.CheckBound(bound);
        if (!double.IsNormal(step) || !double.IsPow2(step) || step > bound || bound / step > 1L << 52)
        {
            throw new PrivacyException($"The grid step must be a power of two between {bound}/2^52 and the bound {bound}; it is {step}.");
        }

        (Bound, Step) = (bound, step);
        var units = (UInt128)Math.Floor(bound / step);
        largestSquare = units * units;
    }

    /// <summary>C.</summary>
    public double Bound { get; }

    /// <summary>γ.</summary>
    public double Step { get; }

    /// <summary>⌊C/γ⌋, the sensitivity in grid units.</summary>
    public long SensitivityUnits => (long)Math.Floor(Bound / Step);

    /// <summary>The grid for noise of standard deviation <paramref name="sigma"/>: the power of two next below sigma/2¹⁶.</summary>
    public static double StepFor(double sigma)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sigma);
        return Math.ScaleB(1, Math.ILogB(sigma) - 16);
    }

    /// <summary>Clips in place; the result lies on the grid.</summary>
    public ClipReport Apply<T>(Span<T> vector, int maxThreads = 0)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var report = L2Clip.Apply(vector, Bound, maxThreads);
        var sums = new UInt128[(vector.Length + BlockParallel.BlockLength - 1) / BlockParallel.BlockLength];
        var scale = 1 / Step;
        while (true)
        {
            var unitsPerValue = scale;
            BlockParallel.ForEachBlock(vector, maxThreads, (block, index) => sums[index] = SquareOfRounded<T>(block, unitsPerValue));
            UInt128 square = 0;
            foreach (var sum in sums)
            {
                square += sum;
            }

            if (square <= largestSquare)
            {
                BlockParallel.ForEachBlock(vector, maxThreads, (block, _) => Round(block, unitsPerValue));
                return scale * Step == 1 ? report : report with { Clipped = true };
            }

            scale *= Math.Sqrt((double)largestSquare / (double)square) * (1 - 1e-6);
        }
    }

    /// <summary>The exact sum of squares, in grid units, of a block that has been rounded.</summary>
    private UInt128 SquareOfRounded<T>(ReadOnlySpan<T> block, double scale)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        UInt128 square = 0;
        var done = 0;
        if (typeof(T) == typeof(float) && SensitivityUnits < 1 << 26)
        {
            // Sums of integers are exact in double up to 2⁵³, and one that passes 2⁵³ is beyond the limit whatever its last bits.
            var vectors = MemoryMarshal.Cast<T, Vector256<float>>(block);
            var low = Vector256<double>.Zero;
            var high = low;
            foreach (var v in vectors)
            {
                var (l, h) = Vector256.Widen(v);
                l = Vector256.Round(l * scale);
                h = Vector256.Round(h * scale);
                low += l * l;
                high += h * h;
            }

            square = (UInt128)Vector256.Sum(low + high);
            done = vectors.Length * Vector256<float>.Count;
        }

        foreach (var x in block[done..])
        {
            var magnitude = (ulong)Math.Abs(Math.Round(double.CreateTruncating(x) * scale));
            square += Math.BigMul(magnitude, magnitude);
        }

        return square;
    }

    private void Round<T>(Span<T> block, double scale)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var done = 0;
        if (typeof(T) == typeof(float))
        {
            var vectors = MemoryMarshal.Cast<T, Vector256<float>>(block);
            foreach (ref var v in vectors)
            {
                var (low, high) = Vector256.Widen(v);
                v = Vector256.Narrow(Vector256.Round(low * scale) * Step, Vector256.Round(high * scale) * Step);
            }

            done = vectors.Length * Vector256<float>.Count;
        }

        foreach (ref var x in block[done..])
        {
            x = T.CreateTruncating(Math.Round(double.CreateTruncating(x) * scale) * Step);
        }
    }
}

using System.Numerics;
using System.Runtime.InteropServices;

namespace Federated.Privacy.Local.Vectors;

/// <summary>The Walsh–Hadamard transform in natural order, in place and not normalised: applied twice it multiplies by the length.</summary>
/// <remarks>Entry (i, j) of the matrix is (−1)^popcount(i AND j). Cost: O(d log d).</remarks>
public static class WalshHadamard
{
    /// <param name="values">Length a power of two.</param>
    public static void Transform<T>(Span<T> values)
        where T : unmanaged, INumber<T>
    {
        if (!BitOperations.IsPow2(values.Length))
        {
            throw new PrivacyException($"The Walsh-Hadamard transform needs a length that is a power of two; it is {values.Length}.");
        }

        for (var half = 1; half < values.Length; half *= 2)
        {
            for (var start = 0; start < values.Length; start += 2 * half)
            {
                Butterfly(values.Slice(start, half), values.Slice(start + half, half));
            }
        }
    }

    private static void Butterfly<T>(Span<T> low, Span<T> high)
        where T : unmanaged, INumber<T>
    {
        var done = 0;
        if (Vector<T>.IsSupported)
        {
            var lows = MemoryMarshal.Cast<T, Vector<T>>(low);
            var highs = MemoryMarshal.Cast<T, Vector<T>>(high);
            for (var i = 0; i < lows.Length; i++)
            {
                (lows[i], highs[i]) = (lows[i] + highs[i], lows[i] - highs[i]);
            }

            done = lows.Length * Vector<T>.Count;
        }

        for (var i = done; i < low.Length; i++)
        {
            (low[i], high[i]) = (low[i] + high[i], low[i] - high[i]);
        }
    }
}

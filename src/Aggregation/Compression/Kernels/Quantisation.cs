using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Federated.Aggregation.Compression.Kernels;

/// <summary>
/// Stochastic rounding of a bucket of values to 2c + 1 evenly spaced levels between −scale and +scale (two levels, ±scale, for c = ½),
/// and back. Code q stands for the value (q − c)·scale/c.
/// </summary>
/// <remarks>
/// A value between two levels goes to either with probabilities that make its expectation the value itself: with u uniform on the odd
/// multiples of 2⁻²⁴ in (0, 1), up when u is below the fractional part. E Q(x) = x to 2⁻²⁴ of a level.
/// </remarks>
internal static class Quantisation
{
    private const int Unit = 64;

    /// <summary>Writes one code per value; draw j decides coordinate j.</summary>
    /// <param name="values">|value| ≤ scale, finite.</param>
    /// <param name="scale">Positive; with 0 every code stands for 0 (or, with two levels, for either sign of it).</param>
    /// <param name="levels">c: a whole number from 1 to 127, or ½.</param>
    /// <param name="draws">At least as many as values.</param>
    /// <param name="codes">As many as values.</param>
    public static void Round<T>(ReadOnlySpan<T> values, T scale, T levels, ReadOnlySpan<uint> draws, Span<byte> codes)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (scale == T.Zero)
        {
            codes.Fill(byte.CreateTruncating(levels));
            return;
        }

        var done = 0;
        if (typeof(T) == typeof(float))
        {
            var single = MemoryMarshal.Cast<T, float>(values);
            var half = levels < T.One;
            done = RoundUnits(single, float.CreateTruncating(scale), half ? 0.5f : float.CreateTruncating(levels), half, draws, codes);
        }

        for (var j = done; j < values.Length; j++)
        {
            var threshold = T.CreateTruncating(((draws[j] >> 9) + 0.5) / (1 << 23));
            if (levels < T.One)
            {
                codes[j] = threshold < ((values[j] / scale) + T.One) * levels ? (byte)1 : (byte)0;
                continue;
            }

            var magnitude = T.Min(T.Abs(values[j]) / scale * levels, levels);
            var level = T.Floor(magnitude);
            level += threshold < magnitude - level ? T.One : T.Zero;
            codes[j] = byte.CreateTruncating(levels + (T.IsNegative(values[j]) ? -level : level));
        }
    }

    /// <summary>Writes (q − c)·step for every code q.</summary>
    public static void Restore<T>(ReadOnlySpan<byte> codes, T step, T levels, Span<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var done = 0;
        if (typeof(T) == typeof(float))
        {
            done = RestoreUnits(codes, float.CreateTruncating(step), float.CreateTruncating(levels), MemoryMarshal.Cast<T, float>(values));
        }

        for (var j = done; j < codes.Length; j++)
        {
            values[j] = (T.CreateTruncating(codes[j]) - levels) * step;
        }
    }

    private static int RoundUnits(ReadOnlySpan<float> values, float scale, float levels, bool half, ReadOnlySpan<uint> draws, Span<byte> codes)
    {
        ref var x = ref MemoryMarshal.GetReference(values);
        ref var u = ref MemoryMarshal.GetReference(draws);
        ref var q = ref MemoryMarshal.GetReference(codes);
        var j = 0;
        for (; j + Unit <= values.Length; j += Unit)
        {
            var (q0, q1, q2, q3) = half
                ? (Sign(ref x, ref u, j, scale), Sign(ref x, ref u, j + 16, scale), Sign(ref x, ref u, j + 32, scale), Sign(ref x, ref u, j + 48, scale))
                : (Level(ref x, ref u, j, scale, levels), Level(ref x, ref u, j + 16, scale, levels),
                    Level(ref x, ref u, j + 32, scale, levels), Level(ref x, ref u, j + 48, scale, levels));
            Vector512.Narrow(Vector512.Narrow(q0, q1).AsUInt16(), Vector512.Narrow(q2, q3).AsUInt16()).StoreUnsafe(ref q, (nuint)j);
        }

        return j;
    }

    private static Vector512<float> Threshold(ref uint draws, int j) =>
        (Vector512.ConvertToSingle((Vector512.LoadUnsafe(ref draws, (nuint)j) >>> 9).AsInt32()) + Vector512.Create(0.5f)) * Vector512.Create(1f / (1 << 23));

    private static Vector512<int> Level(ref float values, ref uint draws, int j, float scale, float levels)
    {
        var x = Vector512.LoadUnsafe(ref values, (nuint)j);
        var magnitude = Vector512.MinNative(Vector512.Abs(x) / Vector512.Create(scale) * levels, Vector512.Create(levels));
        var level = Vector512.ConvertToInt32Native(magnitude);
        var fraction = magnitude - Vector512.ConvertToSingle(level);
        level -= Vector512.LessThan(Threshold(ref draws, j), fraction).AsInt32();
        var negative = x.AsInt32() >> 31;
        return ((level ^ negative) - negative) + Vector512.Create((int)levels);
    }

    private static Vector512<int> Sign(ref float values, ref uint draws, int j, float scale)
    {
        var probability = ((Vector512.LoadUnsafe(ref values, (nuint)j) / Vector512.Create(scale)) + Vector512<float>.One) * 0.5f;
        return Vector512.LessThan(Threshold(ref draws, j), probability).AsInt32() & Vector512<int>.One;
    }

    private static int RestoreUnits(ReadOnlySpan<byte> codes, float step, float levels, Span<float> values)
    {
        ref var q = ref MemoryMarshal.GetReference(codes);
        ref var x = ref MemoryMarshal.GetReference(values);
        var centre = Vector512.Create(levels);
        var factor = Vector512.Create(step);
        var j = 0;
        for (; j + Unit <= codes.Length; j += Unit)
        {
            var (low, high) = Vector512.Widen(Vector512.LoadUnsafe(ref q, (nuint)j));
            var (q0, q1) = Vector512.Widen(low);
            var (q2, q3) = Vector512.Widen(high);
            ((Vector512.ConvertToSingle(q0.AsInt32()) - centre) * factor).StoreUnsafe(ref x, (nuint)j);
            ((Vector512.ConvertToSingle(q1.AsInt32()) - centre) * factor).StoreUnsafe(ref x, (nuint)j + 16);
            ((Vector512.ConvertToSingle(q2.AsInt32()) - centre) * factor).StoreUnsafe(ref x, (nuint)j + 32);
            ((Vector512.ConvertToSingle(q3.AsInt32()) - centre) * factor).StoreUnsafe(ref x, (nuint)j + 48);
        }

        return j;
    }
}

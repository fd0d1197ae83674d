using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Federated.Privacy.Randomness;

/// <summary>
/// Standard normals from uniform words by the Box–Muller transform, eight pairs at a time. The same words give the same normals on every
/// machine: only IEEE-exact operations (add, multiply, fused multiply-add, square root, conversion) are used.
/// </summary>
/// <remarks>
/// Box and Muller, "A Note on the Generation of Random Normal Deviates", Ann. Math. Stat. 1958.
/// <code>
/// u ∈ (0, 1) with 62 bits      r = √(−2 ln u)        θ uniform on an octant, then three bits reflect it to the circle
/// z₁ = r cos θ                 z₂ = r sin θ          largest |z| is 9.3
/// </code>
/// 96 bits a pair: with 32-bit uniforms (the usual choice) |z| would end at 6.7, which a model of 10⁷ parameters notices. ln u is taken
/// from 1 − u where u is near 1, so that small radii are as finely spaced as large ones.
/// </remarks>
internal static class GaussianKernel
{
    /// <summary>Normals made at a time; lengths given to <see cref="Generate"/> are multiples of this.</summary>
    public const int Granularity = 2 * Lanes;

    private const int Lanes = 8;
    private const float TwoToMinus31 = 1f / (1L << 31);
    private const float TwoToMinus62 = 1f / (1L << 62);
    private const float TwoToMinus63 = TwoToMinus62 / 2;

    /// <param name="normals">Overwritten; the cosine halves first, then the sine halves.</param>
    /// <param name="words">3/2 words for each normal.</param>
    public static void Generate(Span<float> normals, ReadOnlySpan<uint> words)
    {
        var pairs = normals.Length / 2;
        ArgumentOutOfRangeException.ThrowIfNotEqual(normals.Length % Granularity, 0, nameof(normals));
        ArgumentOutOfRangeException.ThrowIfNotEqual(words.Length, 3 * pairs, nameof(words));
        ref var word = ref MemoryMarshal.GetReference(words);
        ref var normal = ref MemoryMarshal.GetReference(normals);
        for (nuint i = 0; i < (nuint)pairs; i += Lanes)
        {
            var high = Vector256.LoadUnsafe(ref word, i);
            var low = Vector256.LoadUnsafe(ref word, i + (nuint)pairs);
            var turn = Vector256.LoadUnsafe(ref word, i + (2 * (nuint)pairs));
            var radius = Radius(high, low);
            var (cosine, sine) = Circle(turn);
            (radius * cosine).StoreUnsafe(ref normal, i);
            (radius * sine).StoreUnsafe(ref normal, i + (nuint)pairs);
        }
    }

    /// <summary>√(−2 ln u), u = a·2⁻³¹ + b·2⁻⁶² + 2⁻⁶³ with a, b the top 31 bits of the two words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Radius(Vector256<uint> high, Vector256<uint> low)
    {
        var mask = Vector256.Create(0x7FFFFFFF);
        var a = (high >> 1).AsInt32();
        var b = (low >> 1).AsInt32();
        var u = Unit(a, b);
        var complement = Unit(a ^ mask, b ^ mask);

        // u = m·2^e with m in [√½, √2): take the exponent of u/√½, leave the rest.
        var bits = u.AsInt32();
        var exponent = (bits - Vector256.Create(0x3F3504F3)) >> 23;
        var mantissa = (bits - (exponent << 23)).AsSingle();
        var nearOne = Vector256.GreaterThan(a, Vector256.Create(0x60000000)).AsSingle();
        var f = Vector256.ConditionalSelect(nearOne, -complement, mantissa - Vector256.Create(1f));
        var e = Vector256.ConditionalSelect(nearOne, Vector256<float>.Zero, Vector256.ConvertToSingle(exponent));

        // ln(1 + f) = f + f²·q(f), q a Chebyshev fit on [√½ − 1, √2 − 1] with error 3·10⁻⁸.
        var q = Vector256.Create(-0.0767364129f);
        q = Vector256.FusedMultiplyAdd(q, f, Vector256.Create(0.127226725f));
        q = Vector256.FusedMultiplyAdd(q, f, Vector256.Create(-0.13127555f));
        q = Vector256.FusedMultiplyAdd(q, f, Vector256.Create(0.142048553f));
        q = Vector256.FusedMultiplyAdd(q, f, Vector256.Create(-0.166266456f));
        q = Vector256.FusedMultiplyAdd(q, f, Vector256.Create(0.200012341f));
        q = Vector256.FusedMultiplyAdd(q, f, Vector256.Create(-0.250007808f));
        q = Vector256.FusedMultiplyAdd(q, f, Vector256.Create(0.333333313f));
        q = Vector256.FusedMultiplyAdd(q, f, Vector256.Create(-0.49999997f));
        var log = Vector256.FusedMultiplyAdd(q * f, f, f);
        log = Vector256.FusedMultiplyAdd(e, Vector256.Create(0.693147181f), log);
        return Vector256.Sqrt(log * Vector256.Create(-2f));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Unit(Vector256<int> high, Vector256<int> low)
    {
        var tail = Vector256.FusedMultiplyAdd(
            Vector256.ConvertToSingle(low), Vector256.Create(TwoToMinus62), Vector256.Create(TwoToMinus63));
        return Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(high), Vector256.Create(TwoToMinus31), tail);
    }

    /// <summary>A uniform point of the unit circle: 29 bits of angle within an octant, a bit to swap, two for the signs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Cosine, Vector256<float> Sine) Circle(Vector256<uint> turn)
    {
        var fraction = (turn & Vector256.Create(0x1FFFFFFFu)).AsInt32();
        var x = Vector256.FusedMultiplyAdd(
            Vector256.ConvertToSingle(fraction), Vector256.Create(1.46291807927e-9f), Vector256.Create(7.3145904e-10f));
        var z = x * x;
        var s = Vector256.FusedMultiplyAdd(Vector256.Create(-0.000195878907f), z, Vector256.Create(0.00833274797f));
        s = Vector256.FusedMultiplyAdd(s, z, Vector256.Create(-0.166666642f));
        var sine = Vector256.FusedMultiplyAdd(s * z, x, x);
        var c = Vector256.FusedMultiplyAdd(Vector256.Create(2.45479423e-05f), z, Vector256.Create(-0.00138883025f));
        c = Vector256.FusedMultiplyAdd(c, z, Vector256.Create(0.0416666642f));
        c = Vector256.FusedMultiplyAdd(c, z, Vector256.Create(-0.5f));
        var cosine = Vector256.FusedMultiplyAdd(c, z, Vector256.Create(1f));

        var signBit = Vector256.Create(0x80000000u);
        var swap = Vector256.ShiftRightArithmetic((turn << 2).AsInt32(), 31).AsSingle();
        var first = Vector256.ConditionalSelect(swap, sine, cosine).AsUInt32() ^ (turn & signBit);
        var second = Vector256.ConditionalSelect(swap, cosine, sine).AsUInt32() ^ ((turn << 1) & signBit);
        return (first.AsSingle(), second.AsSingle());
    }
}

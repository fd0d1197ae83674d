using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Federated.Privacy.Hpke.Agreement;

/// <summary>Eight points of P-256 side by side, in Jacobian coordinates: (X/Z², Y/Z³), none at infinity.</summary>
/// <remarks>
/// y² = x³ − 3x + b. Formulas: Bernstein and Lange's Explicit-Formulas Database, shortw-jacobian-3: "dbl-2001-b" with Z₃ = 2·Y₁·Z₁, and "add-1998-cmo-2". The addition
/// is of different points that are not opposite either; <see cref="NumberDigits"/> says why no others are met.
/// </remarks>
internal struct PointLanes
{
    private static readonly FieldLanes ToMontgomery = FieldLanes.OfAll(BigInteger.Pow(2, 520) % FieldLanes.P);
    private static readonly FieldLanes MontgomeryOne = FieldLanes.OfAll(BigInteger.Pow(2, 260) % FieldLanes.P);
    private static readonly FieldLanes One = FieldLanes.OfAll(BigInteger.One);

    private static readonly FieldLanes B = FieldLanes.OfAll(
        (new BigInteger(Convert.FromHexString("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b"), isUnsigned: true, isBigEndian: true) << 260) % FieldLanes.P);

    private FieldLanes x, y, z;

    /// <summary>Reads eight encoded points, each well-formed; whether they lie on the curve is not asked.</summary>
    public static PointLanes Read(ReadOnlySpan<byte> points)
    {
        PointLanes read = default;
        FieldLanes.Multiply(FieldLanes.Read(points[1..], P256Encoding.PointBytes), ToMontgomery, out read.x);
        FieldLanes.Multiply(FieldLanes.Read(points[(1 + P256Encoding.NumberBytes)..], P256Encoding.PointBytes), ToMontgomery, out read.y);
        read.z = MontgomeryOne;
        return read;
    }

    /// <summary>Which of the points, just read, lie on the curve. Points are public: this may take what time it takes.</summary>
    public readonly void AreOnCurve(Span<bool> answers)
    {
        FieldLanes.Square(x, out var right);
        FieldLanes.Multiply(right, x, out right);
        FieldLanes.Triple(x, out var linear);
        FieldLanes.Subtract(right, linear, out right);
        FieldLanes.Add(right, B, out right);
        FieldLanes.Square(y, out var left);
        FieldLanes.Subtract(left, right, out left);
        FieldLanes.Multiply(left, One, out left);
        Span<byte> bytes = stackalloc byte[FieldLanes.Count * P256Encoding.NumberBytes];
        FieldLanes.Write(left, bytes);
        for (var lane = 0; lane < FieldLanes.Count; lane++)
        {
            answers[lane] = !bytes.Slice(lane * P256Encoding.NumberBytes, P256Encoding.NumberBytes).ContainsAnyExcept((byte)0);
        }
    }

    /// <summary>Writes the eight x-coordinates.</summary>
    public readonly void WriteX(Span<byte> coordinates)
    {
        InverseSquare(z, out var factor);
        FieldLanes.Multiply(factor, x, out factor);
        FieldLanes.Multiply(factor, One, out factor);
        FieldLanes.Write(factor, coordinates);
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Double(in PointLanes a, out PointLanes twice)
    {
        FieldLanes.Square(a.z, out var delta);
        FieldLanes.Square(a.y, out var gamma);
        FieldLanes.Multiply(a.x, gamma, out var beta);
        FieldLanes.Subtract(a.x, delta, out var minus);
        FieldLanes.Add(a.x, delta, out var plus);
        FieldLanes.Multiply(minus, plus, out var alpha);
        FieldLanes.Triple(alpha, out alpha);
        FieldLanes.Multiply(a.y, a.z, out var yz);
        FieldLanes.Double(yz, out twice.z);
        FieldLanes.Square(alpha, out var square);
        FieldLanes.SubtractShifted(square, 0, beta, 3, out twice.x);
        FieldLanes.SubtractShifted(beta, 2, twice.x, 0, out beta);
        FieldLanes.Multiply(alpha, beta, out alpha);
        FieldLanes.Square(gamma, out gamma);
        FieldLanes.SubtractShifted(alpha, 0, gamma, 3, out twice.y);
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(in PointLanes a, in PointLanes b, out PointLanes sum)
    {
        FieldLanes.Square(a.z, out var aa);
        FieldLanes.Square(b.z, out var bb);
        FieldLanes.Multiply(a.x, bb, out var u);
        FieldLanes.Multiply(b.x, aa, out var h);
        FieldLanes.Subtract(h, u, out h);
        FieldLanes.Multiply(bb, b.z, out bb);
        FieldLanes.Multiply(aa, a.z, out aa);
        FieldLanes.Multiply(a.y, bb, out var s);
        FieldLanes.Multiply(b.y, aa, out var r);
        FieldLanes.Subtract(r, s, out r);
        FieldLanes.Multiply(a.z, b.z, out var z);
        FieldLanes.Multiply(z, h, out sum.z);
        FieldLanes.Square(h, out var hh);
        FieldLanes.Multiply(u, hh, out u);
        FieldLanes.Multiply(h, hh, out hh);
        FieldLanes.Square(r, out var rr);
        FieldLanes.Subtract(rr, hh, out rr);
        FieldLanes.SubtractShifted(rr, 0, u, 1, out sum.x);
        FieldLanes.Subtract(u, sum.x, out u);
        FieldLanes.Multiply(r, u, out r);
        FieldLanes.Multiply(s, hh, out s);
        FieldLanes.Subtract(r, s, out sum.y);
    }

    /// <summary>The table's entry of an index, or its opposite; every entry is read, whichever it is.</summary>
    /// <param name="opposite">All ones for the opposite, all zeros otherwise.</param>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Choose(ReadOnlySpan<PointLanes> table, long index, long opposite, out PointLanes chosen)
    {
        chosen = table[0];
        for (var i = 1; i < table.Length; i++)
        {
            var mask = Vector512.Create((((index ^ i) - 1) >> 63));
            ref readonly var entry = ref table[i];
            FieldLanes.Select(mask, chosen.x, entry.x, out chosen.x);
            FieldLanes.Select(mask, chosen.y, entry.y, out chosen.y);
            FieldLanes.Select(mask, chosen.z, entry.z, out chosen.z);
        }

        FieldLanes.Subtract(default, chosen.y, out var negated);
        FieldLanes.Select(Vector512.Create(opposite), chosen.y, negated, out chosen.y);
    }

    /// <summary>z^(p − 3), which is 1/z²: 255 squarings and 13 products. p − 3 is 2^32 − 1, 31 zeros, a one, 96 zeros, 94 ones, two zeros.</summary>
    private static void InverseSquare(in FieldLanes z, out FieldLanes inverse)
    {
        Raise(z, 1, z, out var ones2);
        Raise(ones2, 2, ones2, out var ones4);
        Raise(ones4, 4, ones4, out var ones8);
        Raise(ones8, 8, ones8, out var ones16);
        Raise(ones16, 8, ones8, out var ones30);
        Raise(ones30, 4, ones4, out ones30);
        Raise(ones30, 2, ones2, out ones30);
        Raise(ones30, 2, ones2, out var ones32);
        Raise(ones32, 32, z, out inverse);
        Raise(inverse, 96 + 32, ones32, out inverse);
        Raise(inverse, 32, ones32, out inverse);
        Raise(inverse, 30, ones30, out inverse);
        FieldLanes.Square(inverse, out inverse);
        FieldLanes.Square(inverse, out inverse);
    }

    /// <summary>a^(2^squarings) · factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Raise(in FieldLanes a, int squarings, in FieldLanes factor, out FieldLanes result)
    {
        var power = a;
        for (var i = 0; i < squarings; i++)
        {
            FieldLanes.Square(power, out power);
        }

        FieldLanes.Multiply(power, factor, out result);
    }
}

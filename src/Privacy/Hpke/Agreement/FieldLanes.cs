using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Federated.Privacy.Hpke.Agreement;

/// <summary>Eight numbers modulo P-256's prime side by side, in Montgomery's form: five limbs of 52 bits each, of value below 2p and a trifle.</summary>
/// <remarks>
/// Symbols: p = 2^256 − 2^224 + 2^192 + 2^96 − 1; R = 2^260; a number x stands as xR mod p.
/// <para>
/// Products of limbs are taken by the processor's fused multiply-add in double precision, rounded towards zero (N. Emmart, F. Zheng, C. Weems, "Faster modular exponentiation using double
/// precision floating point arithmetic on the GPU", ARITH 2018): h = ab + 2^104 holds the upper 52 bits of ab in its lowest bits, and ab + (2^104 + 2^52 − h) the lower
/// 52, both exactly since ab is below 2^104. Their bits are summed as integers; the exponents' bits are subtracted in the sums' first values.
/// </para>
/// <para>
/// No instruction's time depends on a value, and no branch or address on any. Compiled at once with all optimisations: the compiler's first, quick version is four times
/// slower, and a service that has just started has no fewer reports.
/// </para>
/// <para>
/// Cost: a product of eight pairs is some 250 instructions, 31 for each.
/// </para>
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
internal struct FieldLanes
{
    public const int Count = 8;

    private const int LimbBits = 52;
    private const long Mask = (1L << LimbBits) - 1;

    /// <summary>The bits of 2^52 and of 2^104 as doubles.</summary>
    private const long Low = 0x433L << 52, High = 0x467L << 52;

    private const double TwoTo52 = 4503599627370496.0, TwoTo104 = TwoTo52 * TwoTo52;

    private Vector512<long> l0, l1, l2, l3, l4;

    private FieldLanes(Vector512<long> l0, Vector512<long> l1, Vector512<long> l2, Vector512<long> l3, Vector512<long> l4) =>
        (this.l0, this.l1, this.l2, this.l3, this.l4) = (l0, l1, l2, l3, l4);

    /// <summary>Whether this processor has the instructions.</summary>
    public static bool IsSupported => Avx512DQ.IsSupported && Vector512.IsHardwareAccelerated;

    public static BigInteger P { get; } = BigInteger.Pow(2, 256) - BigInteger.Pow(2, 224) + BigInteger.Pow(2, 192) + BigInteger.Pow(2, 96) - 1;

    /// <summary>The number in every lane, as it stands.</summary>
    public static FieldLanes OfAll(BigInteger number)
    {
        Span<long> limbs = stackalloc long[5 * Count];
        for (var i = 0; i < limbs.Length; i++)
        {
            limbs[i] = (long)((number >> (LimbBits * (i / Count))) & Mask);
        }

        return Load(limbs);
    }

    /// <summary>Eight numbers of 32 bytes, big-endian, as they stand.</summary>
    /// <param name="bytes">The first number; the others follow at every <paramref name="stride"/>.</param>
    public static FieldLanes Read(ReadOnlySpan<byte> bytes, int stride)
    {
        Span<long> limbs = stackalloc long[5 * Count];
        for (var lane = 0; lane < Count; lane++)
        {
            var number = bytes.Slice(lane * stride, 32);
            var (w3, w2, w1, w0) = (Word(number, 0), Word(number, 8), Word(number, 16), Word(number, 24));
            limbs[lane] = (long)w0 & Mask;
            limbs[Count + lane] = (long)((w0 >> 52) | (w1 << 12)) & Mask;
            limbs[(2 * Count) + lane] = (long)((w1 >> 40) | (w2 << 24)) & Mask;
            limbs[(3 * Count) + lane] = (long)((w2 >> 28) | (w3 << 36)) & Mask;
            limbs[(4 * Count) + lane] = (long)(w3 >> 16);
        }

        return Load(limbs);
    }

    /// <summary>Eight numbers below p, 32 bytes each, big-endian, one after the other.</summary>
    /// <param name="value">At most p: what a product with 1 gives.</param>
    public static void Write(in FieldLanes value, Span<byte> bytes)
    {
        Span<ulong> limbs = stackalloc ulong[5 * Count];
        Store(value, MemoryMarshal.Cast<ulong, long>(limbs));
        for (var lane = 0; lane < Count; lane++)
        {
            var (a, b, c, d, e) = (limbs[lane], limbs[Count + lane], limbs[(2 * Count) + lane], limbs[(3 * Count) + lane], limbs[(4 * Count) + lane]);
            var low = new UInt128((b >> 12) | (c << 40), a | (b << 52));
            var high = new UInt128((d >> 36) | (e << 16), (c >> 24) | (d << 28));

            // p itself stands for 0: both halves are masked when they are p's.
            var difference = (low ^ new UInt128(0x00000000ffffffff, 0xffffffffffffffff)) | (high ^ new UInt128(0xffffffff00000001, 0));
            var folded = (ulong)(difference >> 64) | (ulong)difference;
            var keep = (UInt128)(Int128)((long)(folded | (0 - folded)) >> 63);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes[(lane * 32)..], high & keep);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes[((lane * 32) + 16)..], low & keep);
        }

        limbs.Clear();
    }

    /// <summary>ab/R.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in FieldLanes a, in FieldLanes b, out FieldLanes product)
    {
        var (b0, b1, b2, b3, b4) = (ToDouble(b.l0), ToDouble(b.l1), ToDouble(b.l2), ToDouble(b.l3), ToDouble(b.l4));
        var t0 = Vector512.Create(-Low);
        var t1 = Vector512.Create(unchecked((-2 * Low) - High));
        var t2 = Vector512.Create(unchecked((-3 * Low) - (2 * High)));
        var t3 = Vector512.Create(unchecked((-4 * Low) - (3 * High)));
        var t4 = Vector512.Create(unchecked((-6 * Low) - (4 * High)));
        var t5 = Vector512.Create(unchecked((-5 * Low) - (6 * High)));
        var t6 = Vector512.Create(unchecked((-4 * Low) - (5 * High)));
        var t7 = Vector512.Create(unchecked((-3 * Low) - (4 * High)));
        var t8 = Vector512.Create(unchecked((-2 * Low) - (3 * High)));
        var t9 = Vector512.Create(unchecked(-2 * High));
        var x = ToDouble(a.l0);
        Product(x, b0, ref t0, ref t1);
        Product(x, b1, ref t1, ref t2);
        Product(x, b2, ref t2, ref t3);
        Product(x, b3, ref t3, ref t4);
        Product(x, b4, ref t4, ref t5);
        x = ToDouble(a.l1);
        Product(x, b0, ref t1, ref t2);
        Product(x, b1, ref t2, ref t3);
        Product(x, b2, ref t3, ref t4);
        Product(x, b3, ref t4, ref t5);
        Product(x, b4, ref t5, ref t6);
        x = ToDouble(a.l2);
        Product(x, b0, ref t2, ref t3);
        Product(x, b1, ref t3, ref t4);
        Product(x, b2, ref t4, ref t5);
        Product(x, b3, ref t5, ref t6);
        Product(x, b4, ref t6, ref t7);
        x = ToDouble(a.l3);
        Product(x, b0, ref t3, ref t4);
        Product(x, b1, ref t4, ref t5);
        Product(x, b2, ref t5, ref t6);
        Product(x, b3, ref t6, ref t7);
        Product(x, b4, ref t7, ref t8);
        x = ToDouble(a.l4);
        Product(x, b0, ref t4, ref t5);
        Product(x, b1, ref t5, ref t6);
        Product(x, b2, ref t6, ref t7);
        Product(x, b3, ref t7, ref t8);
        Product(x, b4, ref t8, ref t9);
        Reduce(t0, ref t1, ref t2, ref t3, ref t4, ref t5);
        Reduce(t1, ref t2, ref t3, ref t4, ref t5, ref t6);
        Reduce(t2, ref t3, ref t4, ref t5, ref t6, ref t7);
        Reduce(t3, ref t4, ref t5, ref t6, ref t7, ref t8);
        Reduce(t4, ref t5, ref t6, ref t7, ref t8, ref t9);
        Carry(t5, t6, t7, t8, t9, out product);
    }

    /// <summary>a²/R, with the products of different limbs taken once and doubled.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Square(in FieldLanes a, out FieldLanes square)
    {
        var (a0, a1, a2, a3, a4) = (ToDouble(a.l0), ToDouble(a.l1), ToDouble(a.l2), ToDouble(a.l3), ToDouble(a.l4));

        // Half of what the doubled sums must not hold, and of what the squares and the reduction add.
        var t0 = Vector512.Create(-Low);
        var t1 = Vector512.Create(unchecked(-Low - (High / 2)));
        var t2 = Vector512.Create(unchecked(-Low - High - (Low / 2)));
        var t3 = Vector512.Create(unchecked((-2 * Low) - High - (High / 2)));
        var t4 = Vector512.Create(unchecked((-2 * Low) - (2 * High) - Low));
        var t5 = Vector512.Create(unchecked((-2 * Low) - (2 * High) - (Low / 2) - High));
        var t6 = Vector512.Create(unchecked(-Low - (2 * High) - Low - (High / 2)));
        var t7 = Vector512.Create(unchecked(-Low - High - (Low / 2) - High));
        var t8 = Vector512.Create(unchecked(-High - Low - (High / 2)));
        var t9 = Vector512.Create(unchecked(-2 * High));
        Product(a0, a1, ref t1, ref t2);
        Product(a0, a2, ref t2, ref t3);
        Product(a0, a3, ref t3, ref t4);
        Product(a1, a2, ref t3, ref t4);
        Product(a0, a4, ref t4, ref t5);
        Product(a1, a3, ref t4, ref t5);
        Product(a1, a4, ref t5, ref t6);
        Product(a2, a3, ref t5, ref t6);
        Product(a2, a4, ref t6, ref t7);
        Product(a3, a4, ref t7, ref t8);
        (t1, t2, t3, t4) = (t1 + t1, t2 + t2, t3 + t3, t4 + t4);
        (t5, t6, t7, t8) = (t5 + t5, t6 + t6, t7 + t7, t8 + t8);
        Product(a0, a0, ref t0, ref t1);
        Product(a1, a1, ref t2, ref t3);
        Product(a2, a2, ref t4, ref t5);
        Product(a3, a3, ref t6, ref t7);
        Product(a4, a4, ref t8, ref t9);
        Reduce(t0, ref t1, ref t2, ref t3, ref t4, ref t5);
        Reduce(t1, ref t2, ref t3, ref t4, ref t5, ref t6);
        Reduce(t2, ref t3, ref t4, ref t5, ref t6, ref t7);
        Reduce(t3, ref t4, ref t5, ref t6, ref t7, ref t8);
        Reduce(t4, ref t5, ref t6, ref t7, ref t8, ref t9);
        Carry(t5, t6, t7, t8, t9, out square);
    }

    /// <summary>a + b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(in FieldLanes a, in FieldLanes b, out FieldLanes sum) =>
        Fold(a.l0 + b.l0, a.l1 + b.l1, a.l2 + b.l2, a.l3 + b.l3, a.l4 + b.l4, out sum);

    /// <summary>a − b.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Subtract(in FieldLanes a, in FieldLanes b, out FieldLanes difference) =>
        Fold(a.l0 - b.l0, a.l1 - b.l1, a.l2 - b.l2, a.l3 - b.l3, a.l4 - b.l4, out difference);

    /// <summary>a·2^s − b·2^t; s and t at most 3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SubtractShifted(in FieldLanes a, int s, in FieldLanes b, int t, out FieldLanes difference) =>
        Fold((a.l0 << s) - (b.l0 << t), (a.l1 << s) - (b.l1 << t), (a.l2 << s) - (b.l2 << t), (a.l3 << s) - (b.l3 << t), (a.l4 << s) - (b.l4 << t), out difference);

    /// <summary>2a.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Double(in FieldLanes a, out FieldLanes twice) => Fold(a.l0 + a.l0, a.l1 + a.l1, a.l2 + a.l2, a.l3 + a.l3, a.l4 + a.l4, out twice);

    /// <summary>3a.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Triple(in FieldLanes a, out FieldLanes thrice) =>
        Fold(a.l0 + a.l0 + a.l0, a.l1 + a.l1 + a.l1, a.l2 + a.l2 + a.l2, a.l3 + a.l3 + a.l3, a.l4 + a.l4 + a.l4, out thrice);

    /// <summary>b where the mask's bits are set, a elsewhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Select(Vector512<long> mask, in FieldLanes a, in FieldLanes b, out FieldLanes chosen) => chosen = new FieldLanes(
        Vector512.ConditionalSelect(mask, b.l0, a.l0), Vector512.ConditionalSelect(mask, b.l1, a.l1), Vector512.ConditionalSelect(mask, b.l2, a.l2),
        Vector512.ConditionalSelect(mask, b.l3, a.l3), Vector512.ConditionalSelect(mask, b.l4, a.l4));

    private static ulong Word(ReadOnlySpan<byte> bytes, int start) => System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes[start..]);

    private static FieldLanes Load(ReadOnlySpan<long> limbs) => new(
        Vector512.Create(limbs), Vector512.Create(limbs[Count..]), Vector512.Create(limbs[(2 * Count)..]), Vector512.Create(limbs[(3 * Count)..]), Vector512.Create(limbs[(4 * Count)..]));

    private static void Store(in FieldLanes value, Span<long> limbs)
    {
        value.l0.CopyTo(limbs);
        value.l1.CopyTo(limbs[Count..]);
        value.l2.CopyTo(limbs[(2 * Count)..]);
        value.l3.CopyTo(limbs[(3 * Count)..]);
        value.l4.CopyTo(limbs[(4 * Count)..]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> ToDouble(Vector512<long> limb) => Avx512DQ.ConvertToVector512Double(limb);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Product(Vector512<double> a, Vector512<double> b, ref Vector512<long> low, ref Vector512<long> high)
    {
        var h = Avx512F.FusedMultiplyAdd(a, b, Vector512.Create(TwoTo104), FloatRoundingMode.ToZero);
        var l = Avx512F.FusedMultiplyAdd(a, b, Vector512.Create(TwoTo104 + TwoTo52) - h, FloatRoundingMode.ToZero);
        high += h.AsInt64();
        low += l.AsInt64();
    }

    /// <summary>
    /// Adds t0·p, whose lowest limb is −t0 modulo 2^52, so that t0 vanishes: p is −1 modulo 2^96. p = (2^48 − 2^16)·2^208 + 2^192 + 2^96 − 1.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Reduce(Vector512<long> t0, ref Vector512<long> t1, ref Vector512<long> t2, ref Vector512<long> t3, ref Vector512<long> t4, ref Vector512<long> t5)
    {
        var mask = Vector512.Create(Mask);
        var m = t0 & mask;
        t1 += (t0 >> LimbBits) + ((m << 44) & mask);
        t2 += m >>> 8;
        t3 += (m << 36) & mask;
        t4 += m >>> 16;
        Product(ToDouble(m), Vector512.Create(281474976645120.0), ref t4, ref t5);
    }

    /// <summary>Takes off as many p as bring the value between 2^256 and 2^257, give or take 2^231; limbs of either sign, below 2^57.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fold(Vector512<long> l0, Vector512<long> l1, Vector512<long> l2, Vector512<long> l3, Vector512<long> l4, out FieldLanes folded)
    {
        var q = (l4 >> 48) - Vector512<long>.One;
        Carry(l0 + q, l1 - (q << 44), l2, l3 - (q << 36), l4 - (q << 48) + (q << 16), out folded);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Carry(Vector512<long> l0, Vector512<long> l1, Vector512<long> l2, Vector512<long> l3, Vector512<long> l4, out FieldLanes normal)
    {
        var mask = Vector512.Create(Mask);
        l1 += l0 >> LimbBits;
        l2 += l1 >> LimbBits;
        l3 += l2 >> LimbBits;
        l4 += l3 >> LimbBits;
        normal = new FieldLanes(l0 & mask, l1 & mask, l2 & mask, l3 & mask, l4);
    }
}

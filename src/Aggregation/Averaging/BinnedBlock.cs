using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Federated.Aggregation.Averaging;

/// <summary>What became of an addition to a block.</summary>
internal enum BlockOutcome
{
    Done,
    NotFinite,
    OutOfRange,
    TooManyTerms,
}

/// <summary>Where a block's sums stand on the lattice of <see cref="Bins"/>.</summary>
/// <param name="Bin">Bin of the high sums; the low ones are in the bin below. <see cref="Bins.Empty"/> before the first non-zero term.</param>
/// <param name="Terms">Terms in the sums, removals counted against; each left one bias per sum (see <see cref="BinnedBlock"/>).</param>
internal record struct BlockState(int Bin, int Terms)
{
    public static readonly BlockState Empty = new(Bins.Empty, 0);
}

/// <summary>
/// Sums of 512 coordinates on two neighbouring bins: 1,024 longs, eight high then the same eight coordinates' low, and so on.
/// </summary>
/// <remarks>
/// Notation: x = w·u a term, g the bin's grid, M = 1.5·2^52·g its magic number, t = x + M.
/// In double arithmetic t is M plus x rounded to g, and because t's last place is g, the bits of t as an integer are bits(M) + k with
/// k·g = x rounded. So k is added by adding the bits of t, and the sum carries a bias of bits(M) per term, removed when it is read. All of
/// it is arithmetic modulo 2^64, so that what is added can be taken out again without a trace.
/// The remainder x − k·g is exact (Dekker); it goes the same way into the bin below.
/// The bin must be known before the addition but depends on the largest term. An addition therefore bets on the present bin, watches
/// the largest magnitude while it adds, and in the rare case of losing takes the terms out again, moves the block up and repeats.
/// </remarks>
[SkipLocalsInit]
internal static unsafe class BinnedBlock
{
    /// <summary>Coordinates of a block: its sums fill 8 KiB, which stay in the first-level cache while many updates pass.</summary>
    public const int Coordinates = 512;

    /// <summary>Longs of a block.</summary>
    public const int Longs = 2 * Coordinates;

    private const int Group = 8;

    /// <summary>Adds w·values, or takes it out; all or nothing.</summary>
    /// <param name="values">512 coordinates, padded with zeros past the vector's end.</param>
    /// <param name="next">512 coordinates that will be wanted soon: fetched while this addition computes.</param>
    /// <param name="weight">w, finite and not 0.</param>
    /// <param name="sums">The block's longs, 64-byte aligned.</param>
    /// <param name="state">The block's state.</param>
    /// <param name="floor">Bin below which the block never starts.</param>
    public static BlockOutcome Add<T, TSign>(T* values, T* next, double weight, long* sums, ref BlockState state, int floor)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSign : struct, ISign
    {
        if (state.Terms is >= Bins.MaxTerms - 1 or <= 1 - Bins.MaxTerms)
        {
            return BlockOutcome.TooManyTerms;
        }

        if (state.Bin != Bins.Empty)
        {
            if (Accumulate<T, TSign>(values, next, weight, sums, state.Bin))
            {
                state.Terms += TSign.Value;
                return BlockOutcome.Done;
            }

            if (TSign.Value > 0)
            {
                Accumulate<T, Minus>(values, values, weight, sums, state.Bin);
            }
            else
            {
                Accumulate<T, Plus>(values, values, weight, sums, state.Bin);
            }
        }

        var largest = LargestMagnitude(values);
        if (!double.IsFinite(largest))
        {
            return BlockOutcome.NotFinite;
        }

        var bound = largest * Math.Abs(weight);
        if (bound == 0)
        {
            return BlockOutcome.Done;
        }

        var bin = double.IsFinite(bound) ? Math.Max(Bins.Of(bound), floor) : int.MaxValue;
        if (bin > Bins.Highest)
        {
            return BlockOutcome.OutOfRange;
        }

        Raise(sums, ref state, bin);
        Accumulate<T, TSign>(values, next, weight, sums, state.Bin);
        state.Terms += TSign.Value;
        return BlockOutcome.Done;
    }

    /// <summary>Moves a block up to <paramref name="bin"/>, if it is below: the high sums become the low ones, lower ones are dropped.</summary>
    /// <remarks>
    /// Dropping keeps the order irrelevant: had the large term come first, the dropped bin would never have been filled, while the kept
    /// ones would hold the same integers, as smaller terms are zero in higher bins. The bias of a bin depends on the bin alone.
    /// </remarks>
    public static void Raise(long* sums, ref BlockState state, int bin)
    {
        if (state.Bin >= bin)
        {
            return;
        }

        var highBias = BitConverter.DoubleToInt64Bits(Bins.Magic(bin)) * state.Terms;
        var lowBias = BitConverter.DoubleToInt64Bits(Bins.Magic(bin - 1)) * state.Terms;
        var keep = state.Bin == bin - 1;
        for (var group = sums; group < sums + Longs; group += 2 * Group)
        {
            for (var i = 0; i < Group; i++)
            {
                group[Group + i] = keep ? group[i] : lowBias;
                group[i] = highBias;
            }
        }

        state.Bin = bin;
    }

    /// <summary>Writes sum / divisor.</summary>
    /// <param name="result">At most 512 coordinates.</param>
    /// <returns>False when a sum does not fit T.</returns>
    public static bool Read<T>(long* sums, in BlockState state, double divisor, Span<T> result)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (state.Bin == Bins.Empty)
        {
            result.Clear();
            return true;
        }

        var highBias = Vector512.Create(BitConverter.DoubleToInt64Bits(Bins.Magic(state.Bin)) * state.Terms);
        var lowBias = Vector512.Create(BitConverter.DoubleToInt64Bits(Bins.Magic(state.Bin - 1)) * state.Terms);
        var (highGrid, lowGrid) = (Vector512.Create(Bins.Grid(state.Bin)), Vector512.Create(Bins.Grid(state.Bin - 1)));

        // A float result hides the last bit of a double, so that the faster product will do.
        var isQuotient = typeof(T) != typeof(float);
        var by = Vector512.Create(isQuotient ? divisor : 1 / divisor);
        var totals = stackalloc double[Coordinates];
        for (var i = 0; i < result.Length; i += Group)
        {
            var high = Vector512.ConvertToDouble(Vector512.LoadAligned(sums + (2 * i)) - highBias);
            var low = Vector512.ConvertToDouble(Vector512.LoadAligned(sums + (2 * i) + Group) - lowBias);
            var total = (high * highGrid) + (low * lowGrid);
            (isQuotient ? total / by : total * by).Store(totals + i);
        }

        TensorPrimitives.ConvertTruncating<double, T>(new ReadOnlySpan<double>(totals, result.Length), result);

        // Terms · 2^(43 + 44·bin) bounds the sum; only far from usual magnitudes can it leave T's range.
        return Bins.Limit(state.Bin) * Bins.MaxTerms / Math.Abs(divisor) < 1e38 || Finite.All<T>(result);
    }

    /// <summary>Adds blindly in the given bin.</summary>
    /// <returns>False when some value is NaN, infinite or too large for the bin; the sums must then be put back.</returns>
    private static bool Accumulate<T, TSign>(T* values, T* next, double weight, long* sums, int bin)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSign : struct, ISign
    {
        // A little under the true limit, so that rounding in the quotient and in the narrowing cannot lift it above.
        var limit = Math.Min(Bins.Limit(bin) / Math.Abs(weight) * (1 - 1e-6), typeof(T) == typeof(float) ? float.MaxValue : double.MaxValue);
        return Vector512.IsHardwareAccelerated
            ? Accumulate512<T, TSign>(values, next, weight, sums, bin, limit)
            : Accumulate256<T, TSign>(values, next, weight, sums, bin, limit);
    }

    internal static bool Accumulate512<T, TSign>(T* values, T* next, double weight, long* sums, int bin, double limit)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSign : struct, ISign
    {
        var w = Vector512.Create(weight);
        var (high, low) = (Vector512.Create(Bins.Magic(bin)), Vector512.Create(Bins.Magic(bin - 1)));
        var largest = Vector512<long>.Zero;
        var end = values + Coordinates;
        if (typeof(T) == typeof(float))
        {
            var mask = Vector512.Create(int.MaxValue);
            for (; values < end; values += 2 * Group, next += 2 * Group, sums += 4 * Group)
            {
                Prefetch(next);
                var both = Vector512.Load((float*)values);
                largest = Vector512.Max(largest.AsInt32(), both.AsInt32() & mask).AsInt64();
                Add512<TSign>(Widen((float*)values) * w, high, low, sums);
                Add512<TSign>(Widen((float*)values + Group) * w, high, low, sums + (2 * Group));
            }

            return !Vector512.GreaterThanAny(largest.AsInt32(), Vector512.Create(BitConverter.SingleToInt32Bits((float)limit)));
        }

        for (; values < end; values += Group, next += Group, sums += 2 * Group)
        {
            Prefetch(next);
            var x = Vector512.Load((double*)values);
            largest = Vector512.Max(largest, x.AsInt64() & Vector512.Create(long.MaxValue));
            Add512<TSign>(x * w, high, low, sums);
        }

        return !Vector512.GreaterThanAny(largest, Vector512.Create(BitConverter.DoubleToInt64Bits(limit)));
    }

    private static Vector512<double> Widen(float* values) =>

        // One conversion straight from memory: the portable form builds a 512-bit register first, which costs as much as the whole rest.
        Avx512F.IsSupported
            ? Avx512F.ConvertToVector512Double(Vector256.Load(values))
            : Vector512.WidenLower(Vector512.Create(Vector256.Load(values), default));

    private static void Add512<TSign>(Vector512<double> x, Vector512<double> highMagic, Vector512<double> lowMagic, long* sums)
        where TSign : struct, ISign
    {
        var high = x + highMagic;
        var low = x - (high - highMagic) + lowMagic;
        TSign.Apply(Vector512.LoadAligned(sums), high.AsInt64()).StoreAligned(sums);
        TSign.Apply(Vector512.LoadAligned(sums + Group), low.AsInt64()).StoreAligned(sums + Group);
    }

    internal static bool Accumulate256<T, TSign>(T* values, T* next, double weight, long* sums, int bin, double limit)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TSign : struct, ISign
    {
        var w = Vector256.Create(weight);
        var (high, low) = (Vector256.Create(Bins.Magic(bin)), Vector256.Create(Bins.Magic(bin - 1)));
        var end = values + Coordinates;
        if (typeof(T) == typeof(float))
        {
            var largest = Vector256<int>.Zero;
            for (; values < end; values += Group, next += Group, sums += 2 * Group)
            {
                Prefetch(next);
                var both = Vector256.Load((float*)values);
                largest = Vector256.Max(largest, both.AsInt32() & Vector256.Create(int.MaxValue));
                var (first, second) = Vector256.Widen(both);
                Add256<TSign>(first * w, high, low, sums);
                Add256<TSign>(second * w, high, low, sums + (Group / 2));
            }

            return !Vector256.GreaterThanAny(largest, Vector256.Create(BitConverter.SingleToInt32Bits((float)limit)));
        }

        var most = Vector256<long>.Zero;
        for (; values < end; values += Group, next += Group, sums += 2 * Group)
        {
            Prefetch(next);
            var (first, second) = (Vector256.Load((double*)values), Vector256.Load((double*)values + (Group / 2)));
            most = Vector256.Max(most, Vector256.Max(first.AsInt64() & Vector256.Create(long.MaxValue), second.AsInt64() & Vector256.Create(long.MaxValue)));
            Add256<TSign>(first * w, high, low, sums);
            Add256<TSign>(second * w, high, low, sums + (Group / 2));
        }

        return !Vector256.GreaterThanAny(most, Vector256.Create(BitConverter.DoubleToInt64Bits(limit)));
    }

    private static void Add256<TSign>(Vector256<double> x, Vector256<double> highMagic, Vector256<double> lowMagic, long* sums)
        where TSign : struct, ISign
    {
        var high = x + highMagic;
        var low = x - (high - highMagic) + lowMagic;
        TSign.Apply(Vector256.LoadAligned(sums), high.AsInt64()).StoreAligned(sums);
        TSign.Apply(Vector256.LoadAligned(sums + Group), low.AsInt64()).StoreAligned(sums + Group);
    }

    /// <summary>Largest |value|; infinity or NaN when there is one.</summary>
    private static double LargestMagnitude<T>(T* values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Math.Abs(double.CreateTruncating(TensorPrimitives.MaxMagnitude(new ReadOnlySpan<T>(values, Coordinates))));

    private static void Prefetch(void* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }
}

/// <summary>Whether terms are added or taken out; a type, so that the inner loop holds no branch.</summary>
internal interface ISign
{
    static abstract int Value { get; }

    static abstract Vector512<long> Apply(Vector512<long> sum, Vector512<long> term);

    static abstract Vector256<long> Apply(Vector256<long> sum, Vector256<long> term);
}

internal readonly struct Plus : ISign
{
    public static int Value => 1;

    public static Vector512<long> Apply(Vector512<long> sum, Vector512<long> term) => sum + term;

    public static Vector256<long> Apply(Vector256<long> sum, Vector256<long> term) => sum + term;
}

internal readonly struct Minus : ISign
{
    public static int Value => -1;

    public static Vector512<long> Apply(Vector512<long> sum, Vector512<long> term) => sum - term;

    public static Vector256<long> Apply(Vector256<long> sum, Vector256<long> term) => sum - term;
}

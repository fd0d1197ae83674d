using System.Buffers.Binary;
using System.Numerics;

namespace Federated.Aggregation.Compression.Wire;

/// <summary>Reads bits from bytes that anybody may have written: past the end there is an exception, never a value.</summary>
internal ref struct BitReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> bytes = bytes;
    private long position;

    private readonly long Remaining => (bytes.Length * 8L) - position;

    /// <summary>The next <paramref name="count"/> ≤ 32 bits, lowest first.</summary>
    public uint Read(int count)
    {
        if (count > Remaining)
        {
            throw Truncated();
        }

        var bits = Window() & ((1UL << count) - 1);
        position += count;
        return (uint)bits;
    }

    /// <summary>The next <paramref name="count"/> ≤ 56 bits without moving on; zeros behind the end.</summary>
    public readonly ulong Peek(int count) => Window() & ((1UL << count) - 1);

    /// <summary>Moves on by <paramref name="count"/> bits, unless fewer are left.</summary>
    public bool TrySkip(int count)
    {
        if (count > Remaining)
        {
            return false;
        }

        position += count;
        return true;
    }

    /// <summary>Counts one-bits up to and over a zero-bit; refuses more than <paramref name="maximum"/>.</summary>
    public uint ReadUnary(uint maximum)
    {
        var total = 0L;
        while (true)
        {
            var available = (int)Math.Min(56, Remaining);
            var ones = Math.Min(BitOperations.TrailingZeroCount(~Window()), available);
            total += ones;
            position += ones;
            if (total > maximum)
            {
                throw new AggregationException($"The encoded update skips {total} or more places where at most {maximum} are left; it is not what the codec writes.");
            }

            if (ones < available)
            {
                position++;
                return (uint)total;
            }

            if (Remaining <= 0)
            {
                throw Truncated();
            }
        }
    }

    /// <summary>Refuses whatever stands behind the last code except zero-bits up to the end of its byte.</summary>
    public readonly void RequireEnd()
    {
        if (Remaining >= 8 || (Remaining > 0 && (Window() & ((1UL << (int)Remaining) - 1)) != 0))
        {
            throw new AggregationException($"The encoded update has {Remaining} bits behind its last code; there may be only zeros up to a whole byte.");
        }
    }

    private static AggregationException Truncated() => new("The encoded update ends in the middle of a code; it was cut.");

    // At least 56 bits from the position on; zeros behind the end.
    private readonly ulong Window()
    {
        var start = (int)(position >> 3);
        var rest = bytes[Math.Min(start, bytes.Length)..];
        var bits = 0UL;
        if (rest.Length >= 8)
        {
            bits = BinaryPrimitives.ReadUInt64LittleEndian(rest);
        }
        else
        {
            for (var i = 0; i < rest.Length; i++)
            {
                bits |= (ulong)rest[i] << (8 * i);
            }
        }

        return bits >> (int)(position & 7);
    }
}

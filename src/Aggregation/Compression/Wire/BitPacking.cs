using System.Buffers.Binary;
using System.Runtime.Intrinsics.X86;

namespace Federated.Aggregation.Compression.Wire;

/// <summary>Codes of 1 to 8 bits, one after the other from the least significant bit of the first byte.</summary>
/// <remarks>Eight codes fill as many bytes as a code has bits: one bit-gather or bit-scatter instruction moves eight codes.</remarks>
internal static class BitPacking
{
    /// <summary>Bytes of <paramref name="count"/> codes.</summary>
    public static long Size(long count, int width) => ((count * width) + 7) / 8;

    /// <summary>Writes the codes, one per byte, each below 2^width, into exactly <see cref="Size"/> bytes.</summary>
    public static void Pack(ReadOnlySpan<byte> codes, int width, Span<byte> packed)
    {
        if (width == 8)
        {
            codes.CopyTo(packed);
            return;
        }

        var mask = Mask(width);
        var source = 0;
        var target = 0;
        while (source + 8 <= codes.Length)
        {
            var bits = Gather(BinaryPrimitives.ReadUInt64LittleEndian(codes[source..]), mask, width);
            if (target + 8 <= packed.Length)
            {
                // The bytes behind the eight codes' own are written again by the next group.
                BinaryPrimitives.WriteUInt64LittleEndian(packed[target..], bits);
            }
            else
            {
                WriteTail(packed.Slice(target, width), bits);
            }

            source += 8;
            target += width;
        }

        if (source < codes.Length)
        {
            Span<byte> last = stackalloc byte[8];
            last.Clear();
            codes[source..].CopyTo(last);
            WriteTail(packed[target..], Gather(BinaryPrimitives.ReadUInt64LittleEndian(last), mask, width));
        }
    }

    /// <summary>Reads as many codes as <paramref name="codes"/> has places from exactly <see cref="Size"/> bytes.</summary>
    public static void Unpack(ReadOnlySpan<byte> packed, int width, Span<byte> codes)
    {
        if (width == 8)
        {
            packed.CopyTo(codes);
            return;
        }

        var mask = Mask(width);
        var source = 0;
        var target = 0;
        for (; target + 8 <= codes.Length; target += 8, source += width)
        {
            var bits = source + 8 <= packed.Length
                ? BinaryPrimitives.ReadUInt64LittleEndian(packed[source..])
                : ReadTail(packed[source..]);
            BinaryPrimitives.WriteUInt64LittleEndian(codes[target..], Scatter(bits, mask, width));
        }

        if (target < codes.Length)
        {
            Span<byte> last = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(last, Scatter(ReadTail(packed[source..]), mask, width));
            last[..(codes.Length - target)].CopyTo(codes[target..]);
        }
    }

    /// <summary>True when the bits behind the last code are 0.</summary>
    public static bool IsPaddingZero(ReadOnlySpan<byte> packed, long count, int width)
    {
        var used = (int)(count * width % 8);
        return used == 0 || packed[^1] >> used == 0;
    }

    private static ulong Mask(int width) => 0x0101_0101_0101_0101UL * ((1UL << width) - 1);

    private static ulong Gather(ulong codes, ulong mask, int width)
    {
        if (Bmi2.X64.IsSupported)
        {
            return Bmi2.X64.ParallelBitExtract(codes, mask);
        }

        var bits = 0UL;
        for (var i = 0; i < 8; i++)
        {
            bits |= ((codes >> (8 * i)) & 0xFF) << (width * i);
        }

        return bits;
    }

    private static ulong Scatter(ulong bits, ulong mask, int width)
    {
        if (Bmi2.X64.IsSupported)
        {
            return Bmi2.X64.ParallelBitDeposit(bits, mask);
        }

        var codes = 0UL;
        for (var i = 0; i < 8; i++)
        {
            codes |= ((bits >> (width * i)) & ((1UL << width) - 1)) << (8 * i);
        }

        return codes;
    }

    private static void WriteTail(Span<byte> target, ulong bits)
    {
        for (var i = 0; i < target.Length; i++)
        {
            target[i] = (byte)(bits >> (8 * i));
        }
    }

    private static ulong ReadTail(ReadOnlySpan<byte> source)
    {
        var bits = 0UL;
        for (var i = 0; i < Math.Min(8, source.Length); i++)
        {
            bits |= (ulong)source[i] << (8 * i);
        }

        return bits;
    }
}

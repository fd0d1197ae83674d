using System.Numerics;

namespace Federated.Aggregation.Compression.Wire;

/// <summary>Elias omega code of the integers 1, 2, …: short for small ones, without a largest.</summary>
/// <remarks>
/// Elias, "Universal codeword sets and representations of the integers", IEEE Transactions on Information Theory 1975. The code of n is a
/// zero-bit, preceded by n in binary if n > 1, preceded by the code's front for (bits of n) − 1, and so on. Binary numbers stand most
/// significant bit first. 1 → 0, 2 → 100, 3 → 110, 4 → 101000, 16 → 10100100000.
/// </remarks>
internal static class EliasOmega
{
    /// <summary>Longest front that fits an int: groups of 2, 3, 5 and 31 bits.</summary>
    private const int LongestGroup = 31;

    /// <summary>Bits looked up at once: the codes of 1 … 63 have no more.</summary>
    private const int TableBits = 12;

    // By the next bits of the stream: value × 256 + length of the code they begin with, 0 where it is longer.
    private static readonly ushort[] Table = BuildTable();

    public static int Length(int value)
    {
        var length = 1;
        while (value > 1)
        {
            var bits = BitOperations.Log2((uint)value) + 1;
            length += bits;
            value = bits - 1;
        }

        return length;
    }

    public static void Write(ref BitWriter writer, int value)
    {
        // Collected back to front: the group written last stands nearest to the closing zero. Most significant first, so that the
        // lowest bit of the collection is the last one on the wire.
        var code = 0UL;
        var length = 1;
        while (value > 1)
        {
            var bits = BitOperations.Log2((uint)value) + 1;
            code |= (ulong)(uint)value << length;
            length += bits;
            value = bits - 1;
        }

        writer.Write(Reverse(code, length), length);
    }

    public static int Read(ref BitReader reader)
    {
        var entry = Table[reader.Peek(TableBits)];
        if (entry != 0 && reader.TrySkip(entry & 0xFF))
        {
            return entry >> 8;
        }

        var value = 1;
        while (reader.Read(1) == 1)
        {
            if (value >= LongestGroup)
            {
                throw new AggregationException("The encoded update holds an Elias code beyond 2^31; it is not what the codec writes.");
            }

            value = (int)((1U << value) | (uint)Reverse(reader.Read(value), value));
        }

        return value;
    }

    private static ushort[] BuildTable()
    {
        var table = new ushort[1 << TableBits];
        for (var value = 1; value < 64; value++)
        {
            var writer = new BitWriter(8);
            Write(ref writer, value);
            var bytes = writer.Finish();
            var code = bytes[0] | (bytes.Length > 1 ? bytes[1] << 8 : 0);
            var length = Length(value);
            for (var rest = 0; rest < 1 << (TableBits - length); rest++)
            {
                table[code | (rest << length)] = (ushort)((value << 8) | length);
            }

            writer.Release();
        }

        return table;
    }

    private static ulong Reverse(ulong bits, int length)
    {
        bits = ((bits >> 1) & 0x5555_5555_5555_5555) | ((bits & 0x5555_5555_5555_5555) << 1);
        bits = ((bits >> 2) & 0x3333_3333_3333_3333) | ((bits & 0x3333_3333_3333_3333) << 2);
        bits = ((bits >> 4) & 0x0F0F_0F0F_0F0F_0F0F) | ((bits & 0x0F0F_0F0F_0F0F_0F0F) << 4);
        return System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(bits) >> (64 - length);
    }
}

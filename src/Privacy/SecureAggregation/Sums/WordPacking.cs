namespace Federated.Privacy.SecureAggregation.Sums;

/// <summary>Words of b bits one after the other, the lowest bit first: what travels.</summary>
public static class WordPacking
{
    /// <summary>Bytes of so many words.</summary>
    public static long Bytes(int words, int bits) => (((long)words * bits) + 7) / 8;

    public static void Pack(ReadOnlySpan<uint> words, int bits, Span<byte> destination)
    {
        if (destination.Length != Bytes(words.Length, bits))
        {
            throw new PrivacyException($"{words.Length} words of {bits} bits take {Bytes(words.Length, bits)} bytes; there are {destination.Length}.");
        }

        var (held, count, at) = (0UL, 0, 0);
        foreach (var word in words)
        {
            held |= (ulong)word << count;
            for (count += bits; count >= 8; count -= 8, held >>= 8)
            {
                destination[at++] = (byte)held;
            }
        }

        if (count > 0)
        {
            destination[at] = (byte)held;
        }
    }

    /// <returns>False when the bits after the last word are not zero, or the length is another.</returns>
    public static bool TryUnpack(ReadOnlySpan<byte> source, int bits, Span<uint> words)
    {
        if (source.Length != Bytes(words.Length, bits))
        {
            return false;
        }

        var (held, count, at, kept) = (0UL, 0, 0, uint.MaxValue >> (32 - bits));
        for (var i = 0; i < words.Length; i++)
        {
            for (; count < bits; count += 8)
            {
                held |= (ulong)source[at++] << count;
            }

            words[i] = (uint)held & kept;
            held >>= bits;
            count -= bits;
        }

        return held == 0;
    }
}

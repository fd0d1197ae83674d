using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Federated.Shuffler.Storage;

/// <summary>How a record stands in a file, little-endian: <c>[length u32 | crc32c u32 | payload (length bytes)]</c>.</summary>
internal static class Frame
{
    public const int HeaderBytes = 8;

    private const int MaxPayload = 1 << 30;

    public static void Write(ReadOnlySpan<byte> payload, IBufferWriter<byte> output) => Write(payload, [], output);

    /// <summary>A payload in two pieces.</summary>
    public static void Write(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, IBufferWriter<byte> output)
    {
        var length = first.Length + second.Length;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, MaxPayload); // It would be read back as torn.
        var frame = output.GetSpan(HeaderBytes + length)[..(HeaderBytes + length)];
        BinaryPrimitives.WriteInt32LittleEndian(frame, length);
        first.CopyTo(frame[HeaderBytes..]);
        second.CopyTo(frame[(HeaderBytes + first.Length)..]);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[4..], Crc32C(frame[HeaderBytes..]));
        output.Advance(frame.Length);
    }

    /// <summary>The payloads of a file from its start, with where each begins, up to the first that is torn.</summary>
    /// <returns>Bytes of the file that are sound.</returns>
    public static long ReadAll(Stream file, Action<byte[], long> take)
    {
        using var buffered = new BufferedStream(file, 1 << 16);
        Span<byte> header = stackalloc byte[HeaderBytes];
        for (var position = 0L; ;)
        {
            if (buffered.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) < HeaderBytes)
            {
                return position;
            }

            var length = BinaryPrimitives.ReadUInt32LittleEndian(header);
            if (length is 0 or > MaxPayload || length > file.Length - position - HeaderBytes)
            {
                return position;
            }

            var payload = GC.AllocateUninitializedArray<byte>((int)length);
            buffered.ReadExactly(payload);
            if (Crc32C(payload) != BinaryPrimitives.ReadUInt32LittleEndian(header[4..]))
            {
                return position;
            }

            take(payload, position + HeaderBytes);
            position += HeaderBytes + length;
        }
    }

    /// <summary>CRC-32C (Castagnoli), by the processor's instruction.</summary>
    private static uint Crc32C(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (var b in bytes[(words.Length * sizeof(ulong))..])
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return ~crc;
    }
}

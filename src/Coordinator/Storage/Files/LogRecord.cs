using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Federated.Coordinator.Storage.Files;

/// <summary>
/// How a record stands in a log file, little-endian:
/// <c>[length u32 | crc32c u32 | sequence u64 | payload (length bytes)]</c>; the checksum covers sequence and payload.
/// </summary>
internal static class LogRecord
{
    public const int HeaderLength = 16;

    /// <summary>Largest payload: a snapshot or event beyond it is a defect, and a longer length in a file is damage.</summary>
    public const int MaxPayload = 1 << 30;

    public static void Encode(long sequence, ReadOnlySpan<byte> payload, IBufferWriter<byte> output)
    {
        var record = output.GetSpan(HeaderLength + payload.Length)[..(HeaderLength + payload.Length)];
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)payload.Length);
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], sequence);
        payload.CopyTo(record[HeaderLength..]);
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], Crc32C(record[8..]));
        output.Advance(record.Length);
    }

    /// <summary>Reads the record at the start of <paramref name="bytes"/>; false when it is cut off or its checksum is wrong.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, out long sequence, out ReadOnlySpan<byte> payload)
    {
        sequence = 0;
        payload = default;
        if (bytes.Length < HeaderLength)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        if (length > MaxPayload || bytes.Length - HeaderLength < length)
        {
            return false;
        }

        if (Crc32C(bytes.Slice(8, 8 + (int)length)) != BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]))
        {
            return false;
        }

        sequence = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]);
        payload = bytes.Slice(HeaderLength, (int)length);
        return true;
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

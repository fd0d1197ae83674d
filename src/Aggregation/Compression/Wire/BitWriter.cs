using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;

namespace Federated.Aggregation.Compression.Wire;

/// <summary>Appends bits to a growing buffer, each byte filled from its least significant bit.</summary>
internal ref struct BitWriter
{
    private byte[] buffer;
    private int length;
    private ulong pending;
    private int pendingBits;

    public BitWriter(int capacity)
    {
        buffer = ArrayPool<byte>.Shared.Rent(Math.Max(64, capacity));
    }

    /// <summary>Writes the low <paramref name="count"/> ≤ 56 bits of <paramref name="bits"/>, lowest first; higher ones must be 0.</summary>
    public void Write(ulong bits, int count)
    {
        pending |= bits << pendingBits;
        pendingBits += count;
        while (pendingBits >= 8)
        {
            if (length + 8 > buffer.Length)
            {
                Grow();
            }

            // Store eight bytes, keep the whole ones.
            BinaryPrimitives.WriteUInt64LittleEndian(buffer.AsSpan(length), pending);
            var whole = pendingBits / 8;
            length += whole;
            pending = whole == 8 ? 0 : pending >> (8 * whole);
            pendingBits -= 8 * whole;
        }
    }

    /// <summary>q one-bits and a zero-bit.</summary>
    public void WriteUnary(uint q)
    {
        for (; q >= 32; q -= 32)
        {
            Write(uint.MaxValue, 32);
        }

        Write((1UL << (int)q) - 1, (int)q + 1);
    }

    /// <summary>Fills the last byte with zeros and gives all bytes.</summary>
    public ReadOnlySpan<byte> Finish()
    {
        if (pendingBits > 0)
        {
            Write(0, 8 - pendingBits);
        }

        return buffer.AsSpan(0, length);
    }

    /// <summary>Gives the buffer back; nothing read from it may be used any more.</summary>
    public readonly void Release() => ArrayPool<byte>.Shared.Return(buffer);

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent((int)BitOperations.RoundUpToPowerOf2((uint)buffer.Length + 1));
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }
}

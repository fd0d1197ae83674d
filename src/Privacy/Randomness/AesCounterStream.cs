using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Federated.Privacy.Randomness;

/// <summary>
/// AES-256 in counter mode with key erasure: one key serves one request of bytes, and the first 32 bytes that it produces replace it,
/// so that a memory image taken later does not reveal noise drawn earlier.
/// </summary>
/// <remarks>
/// Blocks by <see cref="AesBlocks"/>; erasure after Bernstein, "Fast-key-erasure
/// random-number generators", 2017. Consumed bytes of the small-draw buffer are zeroed. A pseudo-random function in place of true
/// randomness costs a computational assumption (AES-256), as every deployed sampler does.
/// </remarks>
internal sealed class AesCounterStream : IDisposable
{
    public const int KeyBytes = 32;
    private const int BufferBytes = 4096;
    private const int BlockBytes = 16;

    private readonly AesBlocks blocks;
    private readonly ulong nonce;
    private byte[]? buffer;
    private int position = BufferBytes;

    public AesCounterStream(ReadOnlySpan<byte> key, ulong nonce, bool usePlatform = false)
    {
        blocks = new AesBlocks(usePlatform);
        blocks.SetKey(key);
        this.nonce = nonce;
    }

    public ulong NextUInt64()
    {
        if (position == BufferBytes)
        {
            buffer ??= new byte[BufferBytes];
            Generate(buffer);
            position = 0;
        }

        ref var word = ref MemoryMarshal.AsRef<ulong>(buffer.AsSpan(position, sizeof(ulong)));
        var value = BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);
        word = 0;
        position += sizeof(ulong);
        return value;
    }

    public void Fill(Span<byte> destination)
    {
        while (destination.Length >= BufferBytes)
        {
            var chunk = destination[..Math.Min(destination.Length & ~(BlockBytes - 1), 1 << 20)];
            Generate(chunk);
            destination = destination[chunk.Length..];
        }

        while (destination.Length >= sizeof(ulong))
        {
            BinaryPrimitives.WriteUInt64LittleEndian(destination, NextUInt64());
            destination = destination[sizeof(ulong)..];
        }

        if (!destination.IsEmpty)
        {
            Span<byte> last = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(last, NextUInt64());
            last[..destination.Length].CopyTo(destination);
            CryptographicOperations.ZeroMemory(last);
        }
    }

    public void Dispose()
    {
        blocks.Dispose();
        CryptographicOperations.ZeroMemory(buffer);
        position = BufferBytes;
    }

    /// <summary>Fills whole blocks from the present key, then replaces the key by two further blocks.</summary>
    private void Generate(Span<byte> destination)
    {
        Span<byte> next = stackalloc byte[KeyBytes];
        blocks.Encrypt(next, nonce, blocks.Encrypt(destination, nonce, counter: 0));
        blocks.SetKey(next);
        CryptographicOperations.ZeroMemory(next);
    }
}

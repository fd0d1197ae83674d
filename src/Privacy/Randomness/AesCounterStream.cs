using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Federated.Privacy.Randomness;

/// <summary>
/// AES-256 in counter mode with key erasure: one key serves one request of bytes, and the first 32 bytes that it produces replace it,
/// so that a memory image taken later does not reveal noise drawn earlier.
/// </summary>
/// <remarks>
/// Counter mode by NIST SP 800-38A §6.5 over 16-byte blocks (nonce, counter), both little-endian; erasure after Bernstein, "Fast-key-erasure
/// random-number generators", 2017. Consumed bytes of the small-draw buffer are zeroed. A pseudo-random function in place of true
/// randomness costs a computational assumption (AES-256), as every deployed sampler does.
/// </remarks>
internal sealed class AesCounterStream : IDisposable
{
    public const int KeyBytes = 32;
    private const int BufferBytes = 4096;
    private const int BlockBytes = 16;

    private readonly Aes aes = Aes.Create();
    private readonly byte[] key = new byte[KeyBytes];
    private readonly ulong nonce;
    private byte[]? buffer;
    private int position = BufferBytes;

    public AesCounterStream(ReadOnlySpan<byte> key, ulong nonce)
    {
        key.CopyTo(this.key);
        this.nonce = nonce;
        aes.Key = this.key;
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
            // One native call per MiB: long enough to hide its set-up, short enough that the counters stay in cache.
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
        aes.Dispose();
        CryptographicOperations.ZeroMemory(key);
        CryptographicOperations.ZeroMemory(buffer);
        position = BufferBytes;
    }

    /// <summary>Fills whole blocks from the present key, then replaces the key by two further blocks.</summary>
    private void Generate(Span<byte> destination)
    {
        var blocks = WriteCounters(destination, 0);
        aes.EncryptEcb(destination, destination, PaddingMode.None);
        WriteCounters(key, blocks);
        aes.EncryptEcb(key, key, PaddingMode.None);
        aes.Key = key;
    }

    private ulong WriteCounters(Span<byte> destination, ulong counter)
    {
        if (!BitConverter.IsLittleEndian)
        {
            for (; destination.Length >= BlockBytes; destination = destination[BlockBytes..])
            {
                BinaryPrimitives.WriteUInt64LittleEndian(destination, nonce);
                BinaryPrimitives.WriteUInt64LittleEndian(destination[sizeof(ulong)..], counter++);
            }

            return counter;
        }

        var words = MemoryMarshal.Cast<byte, ulong>(destination);
        for (var i = 0; i + 1 < words.Length; i += 2)
        {
            words[i] = nonce;
            words[i + 1] = counter++;
        }

        return counter;
    }
}

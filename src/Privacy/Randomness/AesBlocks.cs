using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace Federated.Privacy.Randomness;

/// <summary>
/// AES-256 of consecutive counter blocks: (nonce, counter), both little-endian, or the counter alone as 128 bits big-endian, which is what
/// others call AES-CTR from a zero vector. By the processor's AES instructions where it has them, else by the platform's <see cref="Aes"/>.
/// The two give the same bytes.
/// </summary>
/// <remarks>
/// NIST FIPS 197 §5.2 (key schedule) and SP 800-38A §6.5 (counter mode). Written out because setting up one platform call costs as much as
/// encrypting 50 KB, and keys here live for one request. The instructions take the same time for every key and block.
/// </remarks>
internal sealed class AesBlocks : IDisposable
{
    private const int Rounds = 14;
    private const int BlockBytes = 16;

    /// <summary>Blocks in flight: enough to hide the latency of one AES round.</summary>
    private const int Width = 8;

    private readonly Vector128<byte>[] roundKeys = new Vector128<byte>[Rounds + 1];
    private readonly Aes? platform;

    /// <param name="usePlatform">True to take the platform's implementation even where there are instructions (for tests).</param>
    public AesBlocks(bool usePlatform = false) => platform = usePlatform || !X86Aes.IsSupported ? Aes.Create() : null;

    /// <summary>Takes a key of 32 bytes.</summary>
    public void SetKey(ReadOnlySpan<byte> key)
    {
        if (platform is not null)
        {
            platform.Key = key.ToArray();
            return;
        }

        var keys = roundKeys;
        keys[0] = Vector128.Create(key[..BlockBytes]);
        keys[1] = Vector128.Create(key.Slice(BlockBytes, BlockBytes));
        ExpandPair(keys, 2, X86Aes.KeygenAssist(keys[1], 0x01));
        ExpandPair(keys, 4, X86Aes.KeygenAssist(keys[3], 0x02));
        ExpandPair(keys, 6, X86Aes.KeygenAssist(keys[5], 0x04));
        ExpandPair(keys, 8, X86Aes.KeygenAssist(keys[7], 0x08));
        ExpandPair(keys, 10, X86Aes.KeygenAssist(keys[9], 0x10));
        ExpandPair(keys, 12, X86Aes.KeygenAssist(keys[11], 0x20));
        keys[14] = NextKey(keys[12], X86Aes.KeygenAssist(keys[13], 0x40), broadcast: 3);
    }

    /// <summary>Overwrites whole blocks with the encryption of the counters from <paramref name="counter"/> on; returns the next counter.</summary>
    public ulong Encrypt(Span<byte> destination, ulong nonce, ulong counter) => Encrypt<LittleEndian>(destination, nonce, counter);

    /// <summary>Overwrites whole blocks with the standard counter keystream from block <paramref name="counter"/> on; returns the next block's number.</summary>
    public ulong EncryptStandard(Span<byte> destination, ulong counter) => Encrypt<BigEndian>(destination, 0, counter);

    private ulong Encrypt<TForm>(Span<byte> destination, ulong nonce, ulong counter)
        where TForm : struct, ICounterForm
    {
        var blocks = MemoryMarshal.Cast<byte, Vector128<byte>>(destination);
        if (platform is not null)
        {
            foreach (ref var block in blocks)
            {
                block = TForm.Block(nonce, counter++);
            }

            platform.EncryptEcb(destination, destination, PaddingMode.None);
            return counter;
        }

        return EncryptByInstruction<TForm>(blocks, nonce, counter);
    }

    public void Dispose()
    {
        platform?.Dispose();
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(roundKeys.AsSpan()));
    }

    private ulong EncryptByInstruction<TForm>(Span<Vector128<byte>> blocks, ulong nonce, ulong counter)
        where TForm : struct, ICounterForm
    {
        ref var key = ref MemoryMarshal.GetArrayDataReference(roundKeys);
        while (blocks.Length >= Width)
        {
            var k = key;
            var b0 = TForm.Block(nonce, counter) ^ k;
            var b1 = TForm.Block(nonce, counter + 1) ^ k;
            var b2 = TForm.Block(nonce, counter + 2) ^ k;
            var b3 = TForm.Block(nonce, counter + 3) ^ k;
            var b4 = TForm.Block(nonce, counter + 4) ^ k;
            var b5 = TForm.Block(nonce, counter + 5) ^ k;
            var b6 = TForm.Block(nonce, counter + 6) ^ k;
            var b7 = TForm.Block(nonce, counter + 7) ^ k;
            for (var round = 1; round < Rounds; round++)
            {
                k = Unsafe.Add(ref key, round);
                b0 = X86Aes.Encrypt(b0, k);
                b1 = X86Aes.Encrypt(b1, k);
                b2 = X86Aes.Encrypt(b2, k);
                b3 = X86Aes.Encrypt(b3, k);
                b4 = X86Aes.Encrypt(b4, k);
                b5 = X86Aes.Encrypt(b5, k);
                b6 = X86Aes.Encrypt(b6, k);
                b7 = X86Aes.Encrypt(b7, k);
            }

            k = Unsafe.Add(ref key, Rounds);
            blocks[0] = X86Aes.EncryptLast(b0, k);
            blocks[1] = X86Aes.EncryptLast(b1, k);
            blocks[2] = X86Aes.EncryptLast(b2, k);
            blocks[3] = X86Aes.EncryptLast(b3, k);
            blocks[4] = X86Aes.EncryptLast(b4, k);
            blocks[5] = X86Aes.EncryptLast(b5, k);
            blocks[6] = X86Aes.EncryptLast(b6, k);
            blocks[7] = X86Aes.EncryptLast(b7, k);
            counter += Width;
            blocks = blocks[Width..];
        }

        foreach (ref var block in blocks)
        {
            var b = TForm.Block(nonce, counter++) ^ key;
            for (var round = 1; round < Rounds; round++)
            {
                b = X86Aes.Encrypt(b, Unsafe.Add(ref key, round));
            }

            block = X86Aes.EncryptLast(b, Unsafe.Add(ref key, Rounds));
        }

        return counter;
    }

    private static void ExpandPair(Vector128<byte>[] keys, int index, Vector128<byte> assist)
    {
        keys[index] = NextKey(keys[index - 2], assist, broadcast: 3);
        keys[index + 1] = NextKey(keys[index - 1], X86Aes.KeygenAssist(keys[index], 0), broadcast: 2);
    }

    /// <summary>w_i ⊕ w_(i−1) ⊕ … over the four words of the previous key, then the assisted word on all four.</summary>
    private static Vector128<byte> NextKey(Vector128<byte> previous, Vector128<byte> assist, int broadcast)
    {
        var words = previous.AsUInt32();
        words ^= Vector128.Shuffle(words, Vector128.Create(4u, 0, 1, 2));
        words ^= Vector128.Shuffle(words, Vector128.Create(4u, 4, 0, 1));
        return (words ^ Vector128.Create(assist.AsUInt32()[broadcast])).AsByte();
    }

    /// <summary>How a counter stands in a block.</summary>
    private interface ICounterForm
    {
        static abstract Vector128<byte> Block(ulong nonce, ulong counter);
    }

    private readonly struct LittleEndian : ICounterForm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<byte> Block(ulong nonce, ulong counter) => BitConverter.IsLittleEndian
            ? Vector128.Create(nonce, counter).AsByte()
            : Vector128.Create(BinaryPrimitives.ReverseEndianness(nonce), BinaryPrimitives.ReverseEndianness(counter)).AsByte();
    }

    private readonly struct BigEndian : ICounterForm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector128<byte> Block(ulong nonce, ulong counter) =>
            Vector128.Create(0UL, BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(counter) : counter).AsByte();
    }
}

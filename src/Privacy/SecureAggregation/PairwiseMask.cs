using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.SecureAggregation;

/// <summary>
/// The mask that two clients share in secure aggregation: one adds it, the other subtracts it, and a sum that holds both holds neither. To anybody
/// without the shared secret a masked vector is uniform.
/// </summary>
/// <remarks>
/// Bonawitz et al., "Practical Secure Aggregation for Privacy-Preserving Machine Learning", CCS 2017, §4.
/// <code>
/// seed = HKDF-SHA256(shared secret, salt = session, info = "fl/secagg/mask/v1" ‖ u32be(low) ‖ u32be(high) ‖ u32be(round), 32 bytes)
/// word_j = little-endian u32 at byte 4j of AES-256-CTR(seed, counter from 0);  mask_j = word_j mod 2^bits
/// </code>
/// The modulus is a power of two, so that truncation is uniform and nothing is rejected. Cost: one AES pass over 4·d bytes.
/// </remarks>
public static class PairwiseMask
{
    public const int SeedBytes = 32;

    /// <summary>Bytes of keystream at a time: small enough for the first cache, large enough for the cipher's pipeline.</summary>
    private const int ChunkBytes = 1 << 12;

    /// <summary>The seed of two clients' mask in one round of a session: another round, another seed.</summary>
    /// <param name="sharedSecret">Their Diffie–Hellman secret, never sent.</param>
    /// <param name="session">What identifies the session: a hash over all public keys and parameters.</param>
    /// <param name="low">The smaller client index.</param>
    /// <param name="high">The larger.</param>
    /// <param name="round">Round of the session.</param>
    /// <param name="seed">32 bytes; overwritten.</param>
    public static void DeriveSeed(ReadOnlySpan<byte> sharedSecret, ReadOnlySpan<byte> session, uint low, uint high, uint round, Span<byte> seed)
    {
        if (low >= high || seed.Length != SeedBytes)
        {
            throw new PrivacyException($"A mask is of a smaller and a larger client index and has a seed of {SeedBytes} bytes; they are {low}, {high} and {seed.Length}.");
        }

        ReadOnlySpan<byte> label = "fl/secagg/mask/v1"u8;
        Span<byte> info = stackalloc byte[label.Length + (3 * sizeof(uint))];
        label.CopyTo(info);
        BinaryPrimitives.WriteUInt32BigEndian(info[label.Length..], low);
        BinaryPrimitives.WriteUInt32BigEndian(info[(label.Length + 4)..], high);
        BinaryPrimitives.WriteUInt32BigEndian(info[(label.Length + 8)..], round);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, sharedSecret, seed, session, info);
    }

    /// <summary>vector ← vector ± mask, modulo 2^bits.</summary>
    /// <param name="vector">d words below 2^bits.</param>
    /// <param name="seed">32 bytes.</param>
    /// <param name="bits">1 … 32.</param>
    /// <param name="subtract">False for the client of the smaller index.</param>
    public static void Apply(Span<uint> vector, ReadOnlySpan<byte> seed, int bits, bool subtract)
    {
        Check(bits, seed.Length);
        using var aes = new AesBlocks();
        Apply(aes, vector, seed, 0, uint.MaxValue >> (32 - bits), subtract);
    }

    /// <summary>All masks of one vector, block by block, so that each block is in the cache while they are applied.</summary>
    /// <param name="vector">d words below 2^bits.</param>
    /// <param name="masks">Whose order does not matter: they are sums modulo 2^bits.</param>
    /// <param name="bits">1 … 32.</param>
    /// <param name="maxThreads">0: as many as the machine has.</param>
    public static void ApplyAll(Span<uint> vector, IReadOnlyList<MaskTerm> masks, int bits, int maxThreads)
    {
        ArgumentNullException.ThrowIfNull(masks);
        foreach (var mask in masks)
        {
            Check(bits, mask.Seed.Length);
        }

        var kept = uint.MaxValue >> (32 - bits);
        BlockParallel.ForEachBlock(vector, maxThreads, (block, index) =>
        {
            using var aes = new AesBlocks();
            foreach (var mask in masks)
            {
                Apply(aes, block, mask.Seed, (ulong)index * BlockParallel.BlockLength, kept, mask.Subtract);
            }
        });
    }

    private static void Check(int bits, int seedLength)
    {
        if (bits is < 1 or > 32 || seedLength != SeedBytes)
        {
            throw new PrivacyException($"A mask has 1 to 32 bits and a seed of {SeedBytes} bytes; they are {bits} and {seedLength}.");
        }
    }

    /// <param name="first">Number of the vector's first word in the mask; a multiple of 4.</param>
    private static void Apply(AesBlocks aes, Span<uint> vector, ReadOnlySpan<byte> seed, ulong first, uint kept, bool subtract)
    {
        aes.SetKey(seed);
        Span<byte> stream = stackalloc byte[ChunkBytes];
        var counter = first / 4;
        for (var start = 0; start < vector.Length; start += ChunkBytes / sizeof(uint))
        {
            var chunk = vector.Slice(start, Math.Min(ChunkBytes / sizeof(uint), vector.Length - start));
            var bytes = stream[..(((chunk.Length * sizeof(uint)) + 15) & ~15)];
            counter = aes.EncryptStandard(bytes, counter);
            AddWords(chunk, MemoryMarshal.Cast<byte, uint>(bytes), kept, subtract);
        }

        CryptographicOperations.ZeroMemory(stream);
    }

    private static void AddWords(Span<uint> values, ReadOnlySpan<uint> words, uint mask, bool subtract)
    {
        var done = 0;
        if (BitConverter.IsLittleEndian)
        {
            var vectors = MemoryMarshal.Cast<uint, Vector<uint>>(values);
            var masks = MemoryMarshal.Cast<uint, Vector<uint>>(words);
            var kept = new Vector<uint>(mask);
            for (var i = 0; i < vectors.Length; i++)
            {
                vectors[i] = (subtract ? vectors[i] - masks[i] : vectors[i] + masks[i]) & kept;
            }

            done = vectors.Length * Vector<uint>.Count;
        }

        for (var i = done; i < values.Length; i++)
        {
            var word = BitConverter.IsLittleEndian ? words[i] : BinaryPrimitives.ReverseEndianness(words[i]);
            values[i] = (subtract ? values[i] - word : values[i] + word) & mask;
        }
    }
}

/// <summary>A mask to apply.</summary>
/// <param name="Seed">32 bytes.</param>
/// <param name="Subtract">False to add it.</param>
public readonly record struct MaskTerm(byte[] Seed, bool Subtract);

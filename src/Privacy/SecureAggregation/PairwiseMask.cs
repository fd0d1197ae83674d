using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

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

    /// <summary>Bytes of keystream at a time: small enough for the cache, large enough for the cipher's pipeline.</summary>
    private const int ChunkBytes = 1 << 16;

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
        if (bits is < 1 or > 32 || seed.Length != SeedBytes)
        {
            throw new PrivacyException($"A mask has 1 to 32 bits and a seed of {SeedBytes} bytes; they are {bits} and {seed.Length}.");
        }

        using var aes = Aes.Create();
        aes.SetKey(seed);
        var counters = new byte[ChunkBytes];
        var stream = new byte[ChunkBytes];
        for (var start = 0; start < vector.Length; start += ChunkBytes / sizeof(uint))
        {
            var chunk = vector.Slice(start, Math.Min(ChunkBytes / sizeof(uint), vector.Length - start));
            var bytes = ((chunk.Length * sizeof(uint)) + 15) & ~15;
            for (var block = 0; block < bytes; block += 16)
            {
                BinaryPrimitives.WriteUInt64BigEndian(counters.AsSpan(block + 8), (ulong)((((long)start * sizeof(uint)) + block) / 16));
            }

            aes.EncryptEcb(counters.AsSpan(0, bytes), stream, PaddingMode.None);
            AddWords(chunk, MemoryMarshal.Cast<byte, uint>(stream.AsSpan()), uint.MaxValue >> (32 - bits), subtract);
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

namespace Federated.Privacy.Hpke;

/// <summary>
/// DHKEM(P-256, HKDF-SHA256) and HKDF-SHA256 with one of two ciphers: what .NET has in its own libraries on every platform.
/// </summary>
/// <remarks>RFC 9180, sections 7.1 to 7.3. X25519 and ChaCha20-Poly1305 are left out: the first is not in .NET, the second not everywhere.</remarks>
/// <param name="AeadId">The cipher's number in RFC 9180, section 7.3.</param>
/// <param name="KeyBytes">N_k.</param>
public sealed record HpkeSuite(ushort AeadId, int KeyBytes)
{
    /// <summary>N_enc: an uncompressed point.</summary>
    public const int EncapsulatedBytes = 65;

    /// <summary>N_t.</summary>
    public const int TagBytes = 16;

    /// <summary>N_n.</summary>
    public const int NonceBytes = 12;

    /// <summary>Bytes that sealing adds to a plaintext.</summary>
    public const int Overhead = EncapsulatedBytes + TagBytes;

    internal const ushort KemId = 0x0010, KdfId = 0x0001;

    /// <summary>What envelopes of this platform use.</summary>
    public static HpkeSuite Aes256 { get; } = new(0x0002, 32);

    /// <summary>What the vectors of RFC 9180, appendix A.3, use.</summary>
    public static HpkeSuite Aes128 { get; } = new(0x0001, 16);

    internal byte[] Id { get; } = [(byte)'H', (byte)'P', (byte)'K', (byte)'E', KemId >> 8, KemId & 255, KdfId >> 8, KdfId & 255, (byte)(AeadId >> 8), (byte)(AeadId & 255)];

    internal static byte[] KemSuiteId { get; } = [(byte)'K', (byte)'E', (byte)'M', KemId >> 8, KemId & 255];
}

using System.Security.Cryptography;

namespace Federated.Privacy.Hpke;

/// <summary>A recipient's P-256 key pair. Opening is thread-safe.</summary>
public sealed class HpkePrivateKey : IDisposable
{
    private readonly byte[] point;

    private HpkePrivateKey(ECDiffieHellman key) => (Key, point) = (key, HpkePublicKey.PointOf(key));

    /// <summary>The public half: 65 bytes, uncompressed.</summary>
    public ReadOnlySpan<byte> Point => point;

    internal ECDiffieHellman Key { get; }

    /// <summary>A new key pair of the operating system's randomness.</summary>
    public static HpkePrivateKey Generate() => new(ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Reads what <see cref="Export"/> wrote.</summary>
    /// <exception cref="PrivacyException">The bytes are no P-256 key.</exception>
    public static HpkePrivateKey Import(ReadOnlySpan<byte> pkcs8)
    {
        var key = ECDiffieHellman.Create();
        try
        {
            key.ImportPkcs8PrivateKey(pkcs8, out _);
            return key.KeySize == 256 ? new HpkePrivateKey(key) : throw new PrivacyException("The key is of another curve than P-256.");
        }
        catch (CryptographicException e)
        {
            key.Dispose();
            throw new PrivacyException($"The bytes are no PKCS#8 private key: {e.Message}", e);
        }
    }

    /// <summary>The pair as PKCS#8, DER: a secret.</summary>
    public byte[] Export() => Key.ExportPkcs8PrivateKey();

    /// <summary>A secret that this pair and another's owner share, for the use that the label names: both sides derive the same 32 bytes.</summary>
    public byte[] Agree(HpkePublicKey other, ReadOnlySpan<byte> label)
    {
        ArgumentNullException.ThrowIfNull(other);
        var secret = Key.DeriveRawSecretAgreement(other.Key.PublicKey);
        try
        {
            var agreed = new byte[LabeledHkdf.HashBytes];
            HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, agreed, [], label);
            return agreed;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    public void Dispose() => Key.Dispose();

    /// <summary>Of a private number, for test vectors.</summary>
    internal static HpkePrivateKey Of(byte[] d, ReadOnlySpan<byte> point) => new(ECDiffieHellman.Create(new ECParameters
    {
        Curve = ECCurve.NamedCurves.nistP256,
        D = d,
        Q = new ECPoint { X = point[1..33].ToArray(), Y = point[33..].ToArray() },
    }));
}

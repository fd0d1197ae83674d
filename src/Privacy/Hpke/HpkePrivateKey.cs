using System.Security.Cryptography;
using Federated.Privacy.Hpke.Agreement;

namespace Federated.Privacy.Hpke;

/// <summary>A recipient's P-256 key pair. Opening is thread-safe.</summary>
public sealed class HpkePrivateKey : IDisposable
{
    private readonly byte[] point;
    private readonly IAgreementKey agreement;
    private readonly Lazy<LaneAgreementKey?> lanes;

    private HpkePrivateKey(ECDiffieHellman key, Func<ECDiffieHellman, IAgreementKey> way)
    {
        (Key, point, agreement) = (key, HpkePublicKey.PointOf(key), way(key));

        // Asked for by services alone, and not where a portable key was asked for.
        lanes = new Lazy<LaneAgreementKey?>(() => agreement is PlatformAgreementKey && AgreementKeys.InUse != PlatformAgreementKey.Name ? null : AgreementKeys.CreateLanes(Key));
    }

    /// <summary>The public half: 65 bytes, uncompressed.</summary>
    public ReadOnlySpan<byte> Point => point;

    private ECDiffieHellman Key { get; }

    /// <summary>A new key pair of the operating system's randomness.</summary>
    public static HpkePrivateKey Generate() => new(ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256), AgreementKeys.Create);

    /// <summary>Reads what <see cref="Export"/> wrote.</summary>
    /// <exception cref="PrivacyException">The bytes are no P-256 key.</exception>
    public static HpkePrivateKey Import(ReadOnlySpan<byte> pkcs8) => Import(pkcs8, AgreementKeys.Create);

    /// <param name="way">What multiplies points: a test and a benchmark compare them.</param>
    internal static HpkePrivateKey Import(ReadOnlySpan<byte> pkcs8, Func<ECDiffieHellman, IAgreementKey> way)
    {
        var key = ECDiffieHellman.Create();
        try
        {
            key.ImportPkcs8PrivateKey(pkcs8, out _);
            using var isOfTheCurve = key.KeySize == 256 ? HpkePublicKey.TryRead(HpkePublicKey.PointOf(key)) : null;
            return isOfTheCurve is not null ? new HpkePrivateKey(key, way) : throw new PrivacyException("The key is of another curve than P-256.");
        }
        catch (Exception e) when (e is CryptographicException or PrivacyException)
        {
            key.Dispose();
            throw e as PrivacyException ?? new PrivacyException($"The bytes are no PKCS#8 private key: {e.Message}", e);
        }
    }

    /// <summary>The pair as PKCS#8, DER: a secret.</summary>
    public byte[] Export() => Key.ExportPkcs8PrivateKey();

    /// <summary>A secret that this pair and another's owner share, for the use that the label names: both sides derive the same 32 bytes.</summary>
    public byte[] Agree(HpkePublicKey other, ReadOnlySpan<byte> label)
    {
        ArgumentNullException.ThrowIfNull(other);
        Span<byte> secret = stackalloc byte[P256Encoding.NumberBytes];
        try
        {
            TryAgree(other.Point, secret); // A public key that was read is a point of the curve.
            var agreed = new byte[LabeledHkdf.HashBytes];
            HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, agreed, [], label);
            return agreed;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    public void Dispose()
    {
        if (lanes is { IsValueCreated: true, Value: { } together })
        {
            together.Dispose();
        }

        agreement.Dispose();
        Key.Dispose();
    }

    /// <summary>Of a private number, for test vectors.</summary>
    internal static HpkePrivateKey Of(byte[] d, ReadOnlySpan<byte> point, Func<ECDiffieHellman, IAgreementKey> way)
    {
        var q = new ECPoint { X = point[1..33].ToArray(), Y = point[33..].ToArray() };
        return new HpkePrivateKey(ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = d, Q = q }), way);
    }

    internal bool TryAgree(ReadOnlySpan<byte> other, Span<byte> secret) => agreement.TryAgree(other, secret);

    /// <summary>Agrees with at most <see cref="LaneAgreementKey.Lanes"/> others at once.</summary>
    /// <param name="others">65 bytes each, one after the other.</param>
    /// <param name="secrets">32 bytes each; undefined for those that are refused.</param>
    /// <param name="agreed">One for each of the others: false when its bytes are no point of the curve.</param>
    internal void Agree(ReadOnlySpan<byte> others, Span<byte> secrets, Span<bool> agreed)
    {
        // All lanes cost as much as three points one by one.
        if (agreed.Length > 3 && lanes.Value is { } together)
        {
            together.Agree(others, secrets, agreed);
            return;
        }

        for (var i = 0; i < agreed.Length; i++)
        {
            agreed[i] = TryAgree(
                others.Slice(i * P256Encoding.PointBytes, P256Encoding.PointBytes), secrets.Slice(i * P256Encoding.NumberBytes, P256Encoding.NumberBytes));
        }
    }
}

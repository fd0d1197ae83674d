using System.Security.Cryptography;

namespace Federated.Privacy.Hpke.Agreement;

/// <summary>The framework's own way, on every platform: about three multiplications on the curve, since each import of a point checks its order too.</summary>
/// <param name="key">Owned by whoever made this.</param>
internal sealed class PlatformAgreementKey(ECDiffieHellman key) : IAgreementKey
{
    public const string Name = ".NET";

    public bool TryAgree(ReadOnlySpan<byte> point, Span<byte> secret)
    {
        using var other = HpkePublicKey.TryRead(point);
        if (other is null)
        {
            return false;
        }

        using var publicKey = other.Key.PublicKey;
        var agreed = key.DeriveRawSecretAgreement(publicKey);
        agreed.CopyTo(secret);
        CryptographicOperations.ZeroMemory(agreed);
        return true;
    }

    public void Dispose()
    {
        // The key is its owner's.
    }
}

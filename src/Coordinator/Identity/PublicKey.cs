using System.Buffers.Text;
using System.Security.Cryptography;

namespace Federated.Coordinator.Identity;

/// <summary>P-256 public keys as they travel: SubjectPublicKeyInfo, DER, base64url.</summary>
internal static class PublicKey
{
    private const int MaxLength = 256;
    private const string P256 = "1.2.840.10045.3.1.7";

    /// <summary>Null when the text is no P-256 key.</summary>
    public static ECDsa? TryRead(string text)
    {
        if (text.Length > MaxLength || !Base64Url.IsValid(text))
        {
            return null;
        }

        var key = ECDsa.Create();
        try
        {
            var der = Base64Url.DecodeFromChars(text);
            key.ImportSubjectPublicKeyInfo(der, out var read);
            if (read == der.Length && key.ExportParameters(false).Curve.Oid is { } oid && (oid.Value == P256 || oid.FriendlyName is "nistP256" or "ECDSA_P256"))
            {
                return key;
            }
        }
        catch (Exception e) when (e is CryptographicException or FormatException or PlatformNotSupportedException)
        {
            // Not a key.
        }

        key.Dispose();
        return null;
    }
}

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Federated.Coordinator.Orleans.Tests.Identity;

/// <summary>A client's key, and what it signs.</summary>
internal sealed class Device
{
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string PublicKey => Base64Url.EncodeToString(key.ExportSubjectPublicKeyInfo());

    public string Assertion(string client, string coordinator)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var head = Encode(new { alg = "ES256", typ = "JWT", kid = client });
        var claims = Encode(new { iss = client, sub = client, aud = coordinator, iat = now, exp = now + 300, jti = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)) });
        var signature = key.SignData(Encoding.ASCII.GetBytes($"{head}.{claims}"), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return $"{head}.{claims}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Encode(object json) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(json));
}

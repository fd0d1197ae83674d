using System.Security.Cryptography;
using System.Text;

namespace Federated.Coordinator.Identity;

/// <summary>Ids that follow from what they are ids of, so that asking twice gives the same one.</summary>
internal static class ClientIds
{
    /// <summary>A coordinator's id, from the secret that signs its access tokens.</summary>
    public static string Coordinator(byte[] secret) => $"fed-{Convert.ToHexStringLower(HMACSHA256.HashData(secret, "coordinator"u8))[..12]}";

    /// <summary>The id of the client that holds a key.</summary>
    /// <returns>Null when it is no P-256 key.</returns>
    public static string? Of(string coordinator, string publicKey)
    {
        using var key = PublicKey.TryRead(publicKey);
        return key is null ? null : $"c-{Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(coordinator + publicKey)))[..16]}";
    }
}

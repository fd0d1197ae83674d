using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Federated.Coordinator.Identity;

/// <summary>Tokens of operators, viewers and enrolments: 32 random bytes, of which only the digest is kept.</summary>
internal static class BearerTokens
{
    /// <param name="role">Null for an enrolment token.</param>
    public static (string Id, string Token, string Digest) New(Role? role)
    {
        var token = $"{role switch { null => "fen", Role.Operator => "fop", _ => "fvw" }}_{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32))}";
        var digest = DigestOf(token);
        return (IdOf(digest, role), token, digest);
    }

    public static string DigestOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private static string IdOf(string digest, Role? role) => $"{(role is null ? "e" : "t")}-{digest[..12]}";
}

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Federated.Coordinator.Identity;

/// <summary>A JWT by which a client shows that it holds its private key, taken apart but not yet believed.</summary>
/// <remarks>
/// RFC 7519 and RFC 7523 in the narrow form of docs/protocol.md: ES256 only, every claim required, anything else refused. There is no
/// choice of algorithm for an attacker to make.
/// </remarks>
internal sealed record Assertion(string Client, string Audience, double IssuedAt, double Expires, string Id)
{
    /// <summary>Longest assertion looked at.</summary>
    public const int MaxLength = 4096;

    /// <summary>Most seconds between iat and exp.</summary>
    public const double Longest = 300;

    private const int SignatureLength = 64;

    private byte[] Signed { get; init; } = [];

    private byte[] Signature { get; init; } = [];

    /// <summary>Takes a token apart; null, with a sentence, when it is not of the form that is asked.</summary>
    public static Assertion? Parse(string token, out string error)
    {
        error = "";
        if (token.Length > MaxLength)
        {
            error = $"An assertion has at most {MaxLength} characters; this one has {token.Length}.";
            return null;
        }

        var parts = token.Split('.');
        if (parts.Length != 3 || Decode(parts[0]) is not { } header || Decode(parts[1]) is not { } claims
            || Decode(parts[2]) is not { Length: SignatureLength } signature)
        {
            error = "An assertion is three base64url parts with dots between them, the last a signature of 64 bytes.";
            return null;
        }

        try
        {
            using var headerJson = JsonDocument.Parse(header, Strict);
            using var claimsJson = JsonDocument.Parse(claims, Strict);
            var (h, c) = (headerJson.RootElement, claimsJson.RootElement);
            if (Text(h, "alg") != "ES256" || Text(h, "typ") != "JWT")
            {
                error = "The assertion's header must have alg ES256 and typ JWT.";
                return null;
            }

            var client = Text(c, "iss");
            if (client is null || client != Text(c, "sub") || client != Text(h, "kid"))
            {
                error = "iss, sub and the header's kid must all be the client's id.";
                return null;
            }

            if (Text(c, "aud") is not { } audience || Text(c, "jti") is not { Length: >= 16 and <= 64 } id || Number(c, "iat") is not { } issued || Number(c, "exp") is not { } expires)
            {
                error = "The claims aud, iat, exp and jti (16 random bytes, base64url) are needed.";
                return null;
            }

            var signed = Encoding.ASCII.GetBytes(token, 0, parts[0].Length + 1 + parts[1].Length);
            return new Assertion(client, audience, issued, expires, id) { Signed = signed, Signature = signature };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // The latter for text that is no UTF-8.
        {
            error = "The assertion's header or claims are not JSON objects.";
            return null;
        }
    }

    /// <summary>Whether the key's holder signed this.</summary>
    public bool IsSignedBy(ECDsa key) => key.VerifyData(Signed, Signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    /// <summary>Why this assertion is not to be believed, with the sentence for its sender; <see cref="Refusal.None"/> when it is, if it was not taken before.</summary>
    /// <param name="key">The client's; null when no such client is enrolled, or it has none.</param>
    /// <param name="now">Unix seconds.</param>
    public (Refusal Refusal, string Detail) ProblemFor(string? key, bool isRevoked, string coordinator, double now, double clockSkewSeconds)
    {
        if (key is null)
        {
            return (Refusal.ClientUnknown, "Enrol again.");
        }

        if (isRevoked)
        {
            return (Refusal.TokenRevoked, "An operator revoked this client.");
        }

        if (Audience != coordinator)
        {
            return (Refusal.AssertionInvalid, $"aud must be this coordinator's id, {coordinator}.");
        }

        if (Expires <= IssuedAt || Expires - IssuedAt > Longest)
        {
            return (Refusal.AssertionInvalid, $"exp must be after iat, by at most {Longest} seconds.");
        }

        if (IssuedAt > now + clockSkewSeconds || Expires < now - clockSkewSeconds)
        {
            return (Refusal.AssertionExpired, $"The assertion is good from {IssuedAt:F0} to {Expires:F0}; here it is {now:F0}. Check the client's clock.");
        }

        using var read = PublicKey.TryRead(key)!;
        return IsSignedBy(read) ? (Refusal.None, "") : (Refusal.AssertionInvalid, "The signature is not by the client's key.");
    }

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 4, AllowDuplicateProperties = false };

    private static byte[]? Decode(string part)
    {
        if (part.Length == 0 || !Base64Url.IsValid(part))
        {
            return null;
        }

        try
        {
            return Base64Url.DecodeFromChars(part);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static double? Number(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : null;
}

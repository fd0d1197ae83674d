using System.Text.Json.Serialization;

namespace Federated.Coordinator.Identity;

/// <summary>One line of the identity journal. Secrets stand in it as digests only.</summary>
/// <param name="Kind">See <see cref="IdentityKinds"/>.</param>
/// <param name="Id">Whom it is about: a client (<c>c-…</c>), an enrolment token (<c>e-…</c>) or an access token (<c>t-…</c>).</param>
/// <param name="At">Unix seconds.</param>
internal sealed record IdentityRecord(string Kind, string Id, double At)
{
    public string? Name { get; init; }

    /// <summary>SHA-256 of a token, hexadecimal.</summary>
    public string? Digest { get; init; }

    /// <summary>Unix seconds; null for no end.</summary>
    public double? Expires { get; init; }

    public Role? Role { get; init; }

    /// <summary>A P-256 public key, base64url; null for a client that only has a certificate.</summary>
    public string? Key { get; init; }

    /// <summary>With a client: the enrolment token that it used.</summary>
    public string? Token { get; init; }

    /// <summary>With an enrolment token: usable any number of times.</summary>
    public bool? Reusable { get; init; }

    public string? Reason { get; init; }
}

internal static class IdentityKinds
{
    /// <summary>Used names in <see cref="IdentityRecord.Name"/> the client that used a token, where token and client stand in different books.</summary>
    public const string Client = "client", ClientKey = "client-key", Enrolment = "enrolment-token", Access = "access-token", Revoked = "revoked", Used = "enrolment-used";
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(IdentityRecord))]
[JsonSerializable(typeof(AuditEntry))]
[JsonSerializable(typeof(TakenAssertion))]
internal sealed partial class IdentityJson : JsonSerializerContext;

using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Federated.Coordinator.Identity;

/// <summary>What the records of an identity journal add up to: clients and tokens. A coordinator has one, a cluster one for each share of the ids.</summary>
/// <remarks>Clients may be looked up on any thread; everything else under the owner's lock. About 500 B per client.</remarks>
internal sealed class IdentityBook
{
    private readonly ConcurrentDictionary<string, ClientEntry> clients = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TokenEntry> tokens = new(StringComparer.Ordinal); // By digest.
    private readonly Dictionary<string, TokenEntry> tokensById = new(StringComparer.Ordinal);

    public int ClientCount => clients.Count;

    public bool TryGetClient(string id, [NotNullWhen(true)] out ClientEntry? client) => clients.TryGetValue(id, out client);

    public TokenEntry? TokenOf(string digest) => tokens.GetValueOrDefault(digest);

    public string? KeyOf(string client) => clients.TryGetValue(client, out var entry) ? entry.Key : null;

    public bool Has(string id) => clients.ContainsKey(id) || tokensById.ContainsKey(id);

    public void Apply(IdentityRecord record)
    {
        switch (record.Kind)
        {
            case IdentityKinds.Client:
                clients.TryAdd(record.Id, new ClientEntry(new Principal(Role.Client, record.Id, record.Name ?? record.Id), record.At) { Key = record.Key });
                if (record.Token is not null && tokensById.TryGetValue(record.Token, out var used))
                {
                    used.UsedBy ??= record.Id;
                }

                break;
            case IdentityKinds.ClientKey when clients.TryGetValue(record.Id, out var client):
                client.Key = record.Key;
                break;
            case IdentityKinds.Enrolment or IdentityKinds.Access:
                tokens[record.Digest!] = tokensById[record.Id] = new TokenEntry(
                    record, new Principal(record.Role ?? Role.Client, record.Id, record.Name ?? ""), record.Expires ?? double.PositiveInfinity);
                break;
            case IdentityKinds.Used when tokensById.TryGetValue(record.Id, out var taken):
                taken.UsedBy ??= record.Name;
                break;
            case IdentityKinds.Revoked:
                if (clients.TryGetValue(record.Id, out var revoked))
                {
                    revoked.RevokedAt = record.At;
                    revoked.Principal.Revoke();
                }

                if (tokensById.TryGetValue(record.Id, out var token))
                {
                    token.RevokedAt = record.At;
                    token.Principal.Revoke();
                }

                break;
            default:
                throw new IdentityException($"The identity journal has a record of kind '{record.Kind}', which this build does not know; use the build that wrote it.");
        }
    }

    /// <summary>Why a token cannot enrol this client; <see cref="Refusal.None"/> when it can.</summary>
    public static Refusal MayEnrol(TokenEntry? token, string client, double now) =>
        token is null || token.Role is not null || token.IsRevoked || now >= token.Expires ? Refusal.EnrolmentTokenInvalid
        : token.UsedBy is not null && token.UsedBy != client && !token.IsReusable ? Refusal.EnrolmentTokenUsed
        : Refusal.None;

    /// <summary>The fewest records that add up to the same.</summary>
    public IEnumerable<IdentityRecord> Records()
    {
        foreach (var token in tokens.Values.OrderBy(t => t.Record.Id, StringComparer.Ordinal))
        {
            yield return token.Record;
            if (token.UsedBy is { } by)
            {
                yield return new IdentityRecord(IdentityKinds.Used, token.Record.Id, token.Record.At) { Name = by };
            }

            if (token.RevokedAt is { } at)
            {
                yield return new IdentityRecord(IdentityKinds.Revoked, token.Record.Id, at);
            }
        }

        foreach (var (id, client) in clients.OrderBy(c => c.Key, StringComparer.Ordinal))
        {
            yield return new IdentityRecord(IdentityKinds.Client, id, client.EnrolledAt) { Name = client.Principal.Name, Key = client.Key };
            if (client.RevokedAt is { } at)
            {
                yield return new IdentityRecord(IdentityKinds.Revoked, id, at);
            }
        }
    }

    public IReadOnlyList<EnrolledClient> Clients() =>
    [
        .. clients.Values.Select(c => new EnrolledClient(c.Principal.Id, c.Principal.Name, c.EnrolledAt, c.RevokedAt, c.Key is not null))
            .OrderBy(c => c.Name, StringComparer.Ordinal).ThenBy(c => c.Client, StringComparer.Ordinal),
    ];

    public IReadOnlyList<IssuedToken> Tokens(double now) =>
    [
        .. tokens.Values.OrderBy(t => t.Record.Id, StringComparer.Ordinal).Select(t => new IssuedToken(
            t.Record.Id,
            t.Role is { } role ? role.ToString().ToLowerInvariant() : "enrolment",
            t.Principal.Name,
            double.IsFinite(t.Expires) ? t.Expires : null,
            t.IsRevoked ? "revoked" : now >= t.Expires ? "expired" : t.UsedBy is not null && !t.IsReusable ? "used" : "good")),
    ];

    internal sealed class ClientEntry(Principal principal, double enrolledAt)
    {
        public Principal Principal { get; } = principal;

        public double EnrolledAt { get; } = enrolledAt;

        public string? Key { get; set; }

        public double? RevokedAt { get; set; }
    }

    internal sealed class TokenEntry(IdentityRecord record, Principal principal, double expires)
    {
        public IdentityRecord Record { get; } = record;

        /// <summary>Null for an enrolment token.</summary>
        public Role? Role => Record.Role;

        public Principal Principal { get; } = principal;

        public double Expires { get; } = expires;

        public bool IsReusable => Record.Reusable == true;

        public string? UsedBy { get; set; }

        public double? RevokedAt { get; set; }

        public bool IsRevoked => RevokedAt is not null;
    }
}

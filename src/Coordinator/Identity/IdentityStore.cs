using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Federated.Coordinator.Identity;

/// <summary>The identities of one coordinator, in files that it alone writes.</summary>
/// <remarks>
/// Everything lives in memory (about 500 B per client) and in a journal that only grows; a change is durable before it is answered. Tokens
/// are kept as SHA-256 digests; they are 32 random bytes, so that a plain digest is enough. Authentication of a request is a look-up in
/// a cache (under 1 µs); the digest behind it is computed once per token.
/// </remarks>
public sealed class IdentityStore : IIdentities
{
    private const int MaxCached = 200_000;

    private readonly IdentityOptions options;
    private readonly TimeProvider clock;
    private readonly Journal<IdentityRecord> journal;
    private readonly TakenAssertions taken;
    private readonly AccessTokens accessTokens;
    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<string, ClientEntry> clients = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TokenEntry> tokens = new(StringComparer.Ordinal); // By digest.
    private readonly Dictionary<string, TokenEntry> tokensById = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (Principal Principal, double Expires)> cache = new(StringComparer.Ordinal);

    private IdentityStore(string folder, IdentityOptions options, TimeProvider clock)
    {
        (this.options, this.clock) = (options, clock);
        var secret = Secret(Path.Combine(folder, "secret"));
        accessTokens = new AccessTokens(secret);
        Coordinator = $"fed-{Convert.ToHexStringLower(HMACSHA256.HashData(secret, "coordinator"u8))[..12]}";
        journal = Journal<IdentityRecord>.Open(Path.Combine(folder, "identity.log"), IdentityJson.Default.IdentityRecord, out var history);
        foreach (var record in history)
        {
            Apply(record);
        }

        taken = new TakenAssertions(folder, 300 + (2 * options.ClockSkewSeconds), Now);
    }

    public string Coordinator { get; }

    public int ClientCount => clients.Count;

    private double Now => clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    /// <param name="folder">Where secret and journal stand; created when it is not there.</param>
    /// <exception cref="IdentityException">What stands there is damaged.</exception>
    public static IdentityStore Open(string folder, IdentityOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        return new IdentityStore(folder, options, clock);
    }

    public ValueTask<(Principal? Who, Refusal Refusal)> AuthenticateAsync(string bearer)
    {
        ArgumentNullException.ThrowIfNull(bearer);
        return ValueTask.FromResult(Authenticate(bearer));
    }

    private (Principal? Who, Refusal Refusal) Authenticate(string bearer)
    {
        var now = Now;
        if (!cache.TryGetValue(bearer, out var known))
        {
            var (who, expires, refusal) = Verify(bearer);
            if (who is null)
            {
                return (null, refusal);
            }

            if (cache.Count >= MaxCached)
            {
                cache.Clear();
            }

            known = cache[bearer] = (who, expires);
        }

        if (known.Principal.IsRevoked)
        {
            return (null, Refusal.TokenRevoked);
        }

        if (now >= known.Expires)
        {
            cache.TryRemove(bearer, out _);
            return (null, Refusal.TokenExpired);
        }

        return (known.Principal, Refusal.None);
    }

    public async ValueTask<(Principal? Who, Refusal Refusal)> AuthenticateCertificateAsync(string client)
    {
        if (!Identifier.IsValid(client))
        {
            return (null, Refusal.CredentialInvalid);
        }

        if (!clients.TryGetValue(client, out var entry))
        {
            await WriteAsync(new IdentityRecord(IdentityKinds.Client, client, Now) { Name = client }).ConfigureAwait(false);
            entry = clients[client];
        }

        return entry.Principal.IsRevoked ? (null, Refusal.TokenRevoked) : (entry.Principal, Refusal.None);
    }

    public async ValueTask<(string? Client, Refusal Refusal)> EnrolAsync(string token, string publicKey, string name)
    {
        ArgumentNullException.ThrowIfNull(token);
        ArgumentNullException.ThrowIfNull(publicKey);
        if (PublicKey.TryRead(publicKey) is not { } key)
        {
            return (null, Refusal.KeyInvalid);
        }

        key.Dispose();
        var client = $"c-{Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(Coordinator + publicKey)))[..16]}";
        Task durable;
        lock (gate)
        {
            if (!tokens.TryGetValue(DigestOf(token), out var entry) || entry.Role is not null || entry.IsRevoked || Now >= entry.Expires)
            {
                return (null, Refusal.EnrolmentTokenInvalid);
            }

            if (clients.TryGetValue(client, out var enrolled))
            {
                return enrolled.Principal.IsRevoked ? (null, Refusal.TokenRevoked) : (client, Refusal.None);
            }

            if (entry.UsedBy is not null && !entry.IsReusable)
            {
                return (null, Refusal.EnrolmentTokenUsed);
            }

            if (clients.Count >= options.MaxClients)
            {
                return (null, Refusal.EnrolmentTokenInvalid);
            }

            durable = WriteAsync(new IdentityRecord(IdentityKinds.Client, client, Now) { Name = name, Key = publicKey, Token = entry.Id });
        }

        await durable.ConfigureAwait(false);
        return (client, Refusal.None);
    }

    public async ValueTask<(string? Token, double Seconds, Refusal Refusal, string Detail)> ExchangeAsync(string assertion)
    {
        ArgumentNullException.ThrowIfNull(assertion);
        if (Assertion.Parse(assertion, out var error) is not { } parsed)
        {
            return (null, 0, Refusal.AssertionInvalid, error);
        }

        if (!clients.TryGetValue(parsed.Client, out var entry) || entry.Key is null)
        {
            return (null, 0, Refusal.ClientUnknown, "Enrol again.");
        }

        if (entry.Principal.IsRevoked)
        {
            return (null, 0, Refusal.TokenRevoked, "An operator revoked this client.");
        }

        if (parsed.Audience != Coordinator)
        {
            return (null, 0, Refusal.AssertionInvalid, $"aud must be this coordinator's id, {Coordinator}.");
        }

        var now = Now;
        if (parsed.Expires <= parsed.IssuedAt || parsed.Expires - parsed.IssuedAt > 300)
        {
            return (null, 0, Refusal.AssertionInvalid, "exp must be after iat, by at most 300 seconds.");
        }

        if (parsed.IssuedAt > now + options.ClockSkewSeconds || parsed.Expires < now - options.ClockSkewSeconds)
        {
            return (null, 0, Refusal.AssertionExpired, $"The assertion is good from {parsed.IssuedAt:F0} to {parsed.Expires:F0}; here it is {now:F0}. Check the client's clock.");
        }

        using (var key = PublicKey.TryRead(entry.Key)!)
        {
            if (!parsed.IsSignedBy(key))
            {
                return (null, 0, Refusal.AssertionInvalid, "The signature is not by the client's key.");
            }
        }

        if (!await taken.TryTakeAsync($"{parsed.Client} {parsed.Id}", now).ConfigureAwait(false))
        {
            return (null, 0, Refusal.AssertionReplayed, "Make a new assertion with another jti for every request.");
        }

        return (accessTokens.Make(parsed.Client, now + options.AccessSeconds), options.AccessSeconds, Refusal.None, "");
    }

    public async ValueTask<(string Id, string Token)> CreateAccessTokenAsync(Role role, string name, TimeSpan? lifetime)
    {
        if (role == Role.Client)
        {
            throw new ArgumentException("Clients enrol; they carry no token of this kind.", nameof(role));
        }

        var (id, token, digest) = NewToken(role == Role.Operator ? "fop" : "fvw", "t");
        await WriteAsync(new IdentityRecord(IdentityKinds.Access, id, Now) { Name = name, Role = role, Digest = digest, Expires = End(lifetime) }).ConfigureAwait(false);
        return (id, token);
    }

    public async ValueTask<(string Id, string Token)> CreateEnrolmentTokenAsync(string name, TimeSpan? lifetime, bool reusable)
    {
        var (id, token, digest) = NewToken("fen", "e");
        await WriteAsync(new IdentityRecord(IdentityKinds.Enrolment, id, Now) { Name = name, Digest = digest, Expires = End(lifetime), Reusable = reusable }).ConfigureAwait(false);
        return (id, token);
    }

    public async ValueTask<bool> RevokeAsync(string id, string reason)
    {
        Task durable;
        lock (gate)
        {
            if (!clients.ContainsKey(id) && !tokensById.ContainsKey(id))
            {
                return false;
            }

            durable = WriteAsync(new IdentityRecord(IdentityKinds.Revoked, id, Now) { Reason = reason });
        }

        await durable.ConfigureAwait(false);
        return true;
    }

    public async ValueTask<Refusal> RotateAsync(string client, string publicKey)
    {
        using var key = PublicKey.TryRead(publicKey);
        if (key is null)
        {
            return Refusal.KeyInvalid;
        }

        if (!clients.ContainsKey(client))
        {
            return Refusal.ClientUnknown;
        }

        await WriteAsync(new IdentityRecord(IdentityKinds.ClientKey, client, Now) { Key = publicKey }).ConfigureAwait(false);
        return Refusal.None;
    }

    public ValueTask<IReadOnlyList<string?>> NamesAsync(IReadOnlyList<string> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return ValueTask.FromResult<IReadOnlyList<string?>>([.. ids.Select(c => clients.TryGetValue(c, out var entry) ? entry.Principal.Name : null)]);
    }

    public ValueTask<IReadOnlyList<EnrolledClient>> ClientsAsync() => ValueTask.FromResult<IReadOnlyList<EnrolledClient>>(
    [
        .. clients.Values.Select(c => new EnrolledClient(c.Principal.Id, c.Principal.Name, c.EnrolledAt, c.RevokedAt, c.Key is not null))
            .OrderBy(c => c.Name, StringComparer.Ordinal).ThenBy(c => c.Client, StringComparer.Ordinal),
    ]);

    public ValueTask<IReadOnlyList<IssuedToken>> TokensAsync()
    {
        lock (gate)
        {
            var now = Now;
            return ValueTask.FromResult<IReadOnlyList<IssuedToken>>(
            [
                .. tokens.Values.OrderBy(t => t.Id, StringComparer.Ordinal).Select(t => new IssuedToken(
                    t.Id,
                    t.Role is { } role ? role.ToString().ToLowerInvariant() : "enrolment",
                    t.Principal.Name,
                    double.IsFinite(t.Expires) ? t.Expires : null,
                    t.IsRevoked ? "revoked" : now >= t.Expires ? "expired" : t.UsedBy is not null && !t.IsReusable ? "used" : "good")),
            ]);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await journal.DisposeAsync().ConfigureAwait(false);
        await taken.DisposeAsync().ConfigureAwait(false);
    }

    private static byte[] Secret(string path)
    {
        if (!File.Exists(path))
        {
            PrivateFile.Write(path, RandomNumberGenerator.GetBytes(32));
        }

        var secret = File.ReadAllBytes(path);
        return secret.Length == 32
            ? secret
            : throw new IdentityException($"'{path}' must hold 32 random bytes; it has {secret.Length}. Restore it from a backup, or delete it: clients then have to enrol again.");
    }

    private static (string Id, string Token, string Digest) NewToken(string prefix, string kind)
    {
        var token = $"{prefix}_{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32))}";
        var digest = DigestOf(token);
        return ($"{kind}-{digest[..12]}", token, digest);
    }

    private static string DigestOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private double? End(TimeSpan? lifetime) => lifetime is { } span ? Now + span.TotalSeconds : null;

    private (Principal? Who, double Expires, Refusal Refusal) Verify(string bearer)
    {
        if (bearer.Length > AccessTokens.MaxLength)
        {
            return (null, 0, Refusal.CredentialInvalid);
        }

        if (accessTokens.Read(bearer) is { } access)
        {
            return clients.TryGetValue(access.Client, out var client) ? (client.Principal, access.Expires, Refusal.None) : (null, 0, Refusal.ClientUnknown);
        }

        lock (gate)
        {
            return tokens.TryGetValue(DigestOf(bearer), out var token) && token.Role is not null
                ? (token.Principal, token.Expires, Refusal.None)
                : (null, 0, Refusal.CredentialInvalid);
        }
    }

    private Task WriteAsync(IdentityRecord record)
    {
        // Seen at once by whoever asks, told to nobody before it is durable.
        lock (gate)
        {
            Apply(record);
            return journal.AppendAsync(record);
        }
    }

    private void Apply(IdentityRecord record)
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
                    record.Id, record.Role, new Principal(record.Role ?? Role.Client, record.Id, record.Name ?? ""), record.Expires ?? double.PositiveInfinity, record.Reusable == true);
                break;
            case IdentityKinds.Revoked:
                if (clients.TryGetValue(record.Id, out var revoked))
                {
                    revoked.RevokedAt = record.At;
                    revoked.Principal.Revoke();
                }

                if (tokensById.TryGetValue(record.Id, out var token))
                {
                    token.IsRevoked = true;
                    token.Principal.Revoke();
                }

                break;
            default:
                throw new IdentityException($"The identity journal has a record of kind '{record.Kind}', which this build does not know; use the build that wrote it.");
        }
    }

    private sealed class ClientEntry(Principal principal, double enrolledAt)
    {
        public Principal Principal { get; } = principal;

        public double EnrolledAt { get; } = enrolledAt;

        public string? Key { get; set; }

        public double? RevokedAt { get; set; }
    }

    private sealed class TokenEntry(string id, Role? role, Principal principal, double expires, bool isReusable)
    {
        public string Id { get; } = id;

        /// <summary>Null for an enrolment token.</summary>
        public Role? Role { get; } = role;

        public Principal Principal { get; } = principal;

        public double Expires { get; } = expires;

        public bool IsReusable { get; } = isReusable;

        public string? UsedBy { get; set; }

        public bool IsRevoked { get; set; }
    }
}

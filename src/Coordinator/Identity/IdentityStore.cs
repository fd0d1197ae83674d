using System.Collections.Concurrent;
using System.Security.Cryptography;

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
    private readonly IdentityBook book = new();
    private readonly ConcurrentDictionary<string, (Principal Principal, double Expires)> cache = new(StringComparer.Ordinal);

    private readonly FileStream owned;

    private IdentityStore(string folder, FileStream owned, IdentityOptions options, TimeProvider clock)
    {
        (this.owned, this.options, this.clock) = (owned, options, clock);
        var secret = Secret(Path.Combine(folder, "secret"));
        accessTokens = new AccessTokens(secret);
        Coordinator = ClientIds.Coordinator(secret);
        journal = Journal<IdentityRecord>.Open(Path.Combine(folder, "identity.log"), IdentityJson.Default.IdentityRecord, out var history);
        foreach (var record in history)
        {
            book.Apply(record);
        }

        taken = new TakenAssertions(folder, Assertion.Longest + (2 * options.ClockSkewSeconds), Now);
    }

    public string Coordinator { get; }

    public int ClientCount => book.ClientCount;

    private double Now => clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    /// <param name="folder">Where secret and journal stand; created when it is not there.</param>
    /// <exception cref="IdentityException">What stands there is damaged, or in use by another process.</exception>
    public static IdentityStore Open(string folder, IdentityOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(clock);
        var owned = Own(folder);
        try
        {
            return new IdentityStore(folder, owned, options, clock);
        }
        catch
        {
            owned.Dispose();
            throw;
        }
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

        if (!book.TryGetClient(client, out var entry))
        {
            await WriteAsync(new IdentityRecord(IdentityKinds.Client, client, Now) { Name = client }).ConfigureAwait(false);
            _ = book.TryGetClient(client, out entry);
        }

        return entry!.Principal.IsRevoked ? (null, Refusal.TokenRevoked) : (entry.Principal, Refusal.None);
    }

    public async ValueTask<(string? Client, Refusal Refusal)> EnrolAsync(string token, string publicKey, string name)
    {
        ArgumentNullException.ThrowIfNull(token);
        ArgumentNullException.ThrowIfNull(publicKey);
        if (ClientIds.Of(Coordinator, publicKey) is not { } client)
        {
            return (null, Refusal.KeyInvalid);
        }

        Task durable;
        lock (gate)
        {
            var entry = book.TokenOf(BearerTokens.DigestOf(token));
            var refusal = IdentityBook.MayEnrol(entry, client, Now);
            if (refusal == Refusal.EnrolmentTokenInvalid)
            {
                return (null, refusal);
            }

            if (book.TryGetClient(client, out var enrolled))
            {
                return enrolled.Principal.IsRevoked ? (null, Refusal.TokenRevoked) : (client, Refusal.None);
            }

            if (refusal != Refusal.None)
            {
                return (null, refusal);
            }

            if (book.ClientCount >= options.MaxClients)
            {
                return (null, Refusal.EnrolmentTokenInvalid);
            }

            durable = WriteAsync(new IdentityRecord(IdentityKinds.Client, client, Now) { Name = name, Key = publicKey, Token = entry!.Record.Id });
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

        var now = Now;
        _ = book.TryGetClient(parsed.Client, out var entry);
        if (parsed.ProblemFor(entry?.Key, entry?.Principal.IsRevoked == true, Coordinator, now, options.ClockSkewSeconds) is var (refusal, detail) && refusal != Refusal.None)
        {
            return (null, 0, refusal, detail);
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

        var (id, token, digest) = BearerTokens.New(role);
        await WriteAsync(new IdentityRecord(IdentityKinds.Access, id, Now) { Name = name, Role = role, Digest = digest, Expires = End(lifetime) }).ConfigureAwait(false);
        return (id, token);
    }

    public async ValueTask<(string Id, string Token)> CreateEnrolmentTokenAsync(string name, TimeSpan? lifetime, bool reusable)
    {
        var (id, token, digest) = BearerTokens.New(null);
        await WriteAsync(new IdentityRecord(IdentityKinds.Enrolment, id, Now) { Name = name, Digest = digest, Expires = End(lifetime), Reusable = reusable }).ConfigureAwait(false);
        return (id, token);
    }

    public async ValueTask<bool> RevokeAsync(string id, string reason)
    {
        Task durable;
        lock (gate)
        {
            if (!book.Has(id))
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

        if (!book.TryGetClient(client, out _))
        {
            return Refusal.ClientUnknown;
        }

        await WriteAsync(new IdentityRecord(IdentityKinds.ClientKey, client, Now) { Key = publicKey }).ConfigureAwait(false);
        return Refusal.None;
    }

    public ValueTask<IReadOnlyList<string?>> NamesAsync(IReadOnlyList<string> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        return ValueTask.FromResult<IReadOnlyList<string?>>([.. ids.Select(c => book.TryGetClient(c, out var entry) ? entry.Principal.Name : null)]);
    }

    public ValueTask<string?> KeyOfAsync(string client) => ValueTask.FromResult(book.KeyOf(client));

    public ValueTask<IReadOnlyList<EnrolledClient>> ClientsAsync() => ValueTask.FromResult(book.Clients());

    public ValueTask<IReadOnlyList<IssuedToken>> TokensAsync()
    {
        lock (gate)
        {
            return ValueTask.FromResult(book.Tokens(Now));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await journal.DisposeAsync().ConfigureAwait(false);
        await taken.DisposeAsync().ConfigureAwait(false);
        await owned.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Held while the store is open: a second process would write over what the first one wrote, and not know whom it let in.</summary>
    private static FileStream Own(string folder)
    {
        Directory.CreateDirectory(folder);
        try
        {
            return new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new IdentityException($"'{folder}' is in use by another process, a coordinator most likely: one at a time. Ask that coordinator, or stop it first.", e);
        }
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

    private double? End(TimeSpan? lifetime) => lifetime is { } span ? Now + span.TotalSeconds : null;

    private (Principal? Who, double Expires, Refusal Refusal) Verify(string bearer)
    {
        if (bearer.Length > AccessTokens.MaxLength)
        {
            return (null, 0, Refusal.CredentialInvalid);
        }

        if (accessTokens.Read(bearer) is { } access)
        {
            return book.TryGetClient(access.Client, out var client) ? (client.Principal, access.Expires, Refusal.None) : (null, 0, Refusal.ClientUnknown);
        }

        lock (gate)
        {
            return book.TokenOf(BearerTokens.DigestOf(bearer)) is { Role: not null } token
                ? (token.Principal, token.Expires, Refusal.None)
                : (null, 0, Refusal.CredentialInvalid);
        }
    }

    private Task WriteAsync(IdentityRecord record)
    {
        // Seen at once by whoever asks, told to nobody before it is durable.
        lock (gate)
        {
            book.Apply(record);
            return journal.AppendAsync(record);
        }
    }
}

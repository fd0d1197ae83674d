using System.Collections.Concurrent;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Storage;

namespace Federated.Coordinator.Orleans.Identity;

/// <summary>The cluster's identities as one silo's front door asks for them: who somebody is, is remembered here for a few seconds.</summary>
/// <remarks>
/// A revocation is therefore seen after <see cref="FrontDoorOptions.StandingLease"/> at the latest. Access tokens are signed by a secret that
/// all silos share, so that any of them knows a token that another made. Before <see cref="OpenAsync"/> everything is a <see cref="StorageException"/>.
/// </remarks>
public sealed class ClusterIdentities(IdentityOptions options, FrontDoorOptions frontDoor, TimeProvider clock) : IIdentities
{
    private const int MaxCached = 200_000;

    private readonly ConcurrentDictionary<string, Known> byBearer = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Known> byClient = new(StringComparer.Ordinal);

    private volatile Cluster? cluster;

    /// <summary>Empty before <see cref="OpenAsync"/>.</summary>
    public string Coordinator => cluster?.Coordinator ?? "";

    private double Now => clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    private Cluster Open => cluster ?? throw new StorageException("This silo has not joined its cluster yet; ask again.");

    private IGrainFactory Grains => Open.Grains;

    /// <summary>Opens the cluster's identities; they are made when there are none.</summary>
    public async Task OpenAsync(IGrainFactory grains, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(grains);
        var secret = await Patience.AskAsync(() => grains.GetGrain<IRegistryGrain>(0).SecretAsync(), frontDoor.FailoverPatience, clock, cancellation).ConfigureAwait(false);
        cluster = new Cluster(grains, new AccessTokens(secret), ClientIds.Coordinator(secret));
    }

    public async ValueTask<(Principal? Who, Refusal Refusal)> AuthenticateAsync(string bearer)
    {
        ArgumentNullException.ThrowIfNull(bearer);
        if (!byBearer.TryGetValue(bearer, out var known))
        {
            if (bearer.Length > AccessTokens.MaxLength)
            {
                return (null, Refusal.CredentialInvalid);
            }

            known = Open.AccessTokens.Read(bearer) is var (client, expires)
                ? new Known(bearer, client, expires, KnownOf(client))
                : new Known(bearer, null, double.PositiveInfinity, null);
        }

        var holder = known.Holder ?? known;
        var refusal = await StandingAsync(holder).ConfigureAwait(false);
        if (refusal is Refusal.None or Refusal.TokenRevoked)
        {
            Remember(byBearer, bearer, known);
        }
        else
        {
            byBearer.TryRemove(bearer, out _);
        }

        return refusal != Refusal.None ? (null, refusal)
            : Now >= Math.Min(known.Expires, holder.Expires) ? (null, Refusal.TokenExpired)
            : (holder.Principal, Refusal.None);
    }

    public async ValueTask<(Principal? Who, Refusal Refusal)> AuthenticateCertificateAsync(string client)
    {
        if (!Identifier.IsValid(client))
        {
            return (null, Refusal.CredentialInvalid);
        }

        var known = KnownOf(client);
        var refusal = await StandingAsync(known).ConfigureAwait(false);
        if (refusal == Refusal.ClientUnknown)
        {
            if (!await AddAsync(client, client, null).ConfigureAwait(false))
            {
                return (null, Refusal.EnrolmentTokenInvalid);
            }

            refusal = await StandingAsync(known).ConfigureAwait(false);
        }

        return refusal == Refusal.None ? (known.Principal, refusal) : (null, refusal);
    }

    public async ValueTask<(string? Client, Refusal Refusal)> EnrolAsync(string token, string publicKey, string name)
    {
        ArgumentNullException.ThrowIfNull(token);
        ArgumentNullException.ThrowIfNull(publicKey);
        if (ClientIds.Of(Open.Coordinator, publicKey) is not { } client)
        {
            return (null, Refusal.KeyInvalid);
        }

        // (1) The token is used, by this client for good. (2) The client is added. A crash between the two leaves a token that the same
        // client can use again, and nobody else.
        var digest = BearerTokens.DigestOf(token);
        var refusal = await AskAsync(TokenShare(digest), share => share.UseTokenAsync(digest, client)).ConfigureAwait(false);
        if (refusal == Refusal.EnrolmentTokenInvalid)
        {
            return (null, refusal);
        }

        var enrolled = await AskAsync(ClientShare(client), share => share.FindAsync(client)).ConfigureAwait(false);
        if (enrolled is not null)
        {
            return enrolled.RevokedAt is null ? (client, Refusal.None) : (null, Refusal.TokenRevoked);
        }

        return refusal != Refusal.None ? (null, refusal)
            : await AddAsync(client, name, publicKey).ConfigureAwait(false) ? (client, Refusal.None)
            : (null, Refusal.EnrolmentTokenInvalid);
    }

    public async ValueTask<(string? Token, double Seconds, Refusal Refusal, string Detail)> ExchangeAsync(string assertion)
    {
        ArgumentNullException.ThrowIfNull(assertion);
        if (Assertion.Parse(assertion, out var error) is not { } parsed)
        {
            return (null, 0, Refusal.AssertionInvalid, error);
        }

        if (!Identifier.IsValid(parsed.Client))
        {
            return (null, 0, Refusal.ClientUnknown, "Enrol again.");
        }

        // Repeated when a silo dies under it; had the first been taken, the client is told so, and makes a new one.
        var verdict = await AskAsync(Grains.GetGrain<IClientGrain>(parsed.Client), client => client.ExchangeAsync(assertion, Coordinator)).ConfigureAwait(false);
        return verdict.Refusal == Refusal.None
            ? (Open.AccessTokens.Make(parsed.Client, Now + options.AccessSeconds), options.AccessSeconds, Refusal.None, "")
            : (null, 0, verdict.Refusal, verdict.Detail);
    }

    public async ValueTask<(string Id, string Token)> CreateAccessTokenAsync(Role role, string name, TimeSpan? lifetime)
    {
        if (role == Role.Client)
        {
            throw new ArgumentException("Clients enrol; they carry no token of this kind.", nameof(role));
        }

        return await CreateAsync(role, name, lifetime, reusable: false).ConfigureAwait(false);
    }

    public async ValueTask<(string Id, string Token)> CreateEnrolmentTokenAsync(string name, TimeSpan? lifetime, bool reusable) =>
        await CreateAsync(null, name, lifetime, reusable).ConfigureAwait(false);

    public async ValueTask<bool> RevokeAsync(string id, string reason)
    {
        ArgumentNullException.ThrowIfNull(id);
        var isFound = Shares.IsTokenId(id) && await AskAsync(TokenShare(id), share => share.RevokeAsync(id, reason)).ConfigureAwait(false);
        if (await AskAsync(ClientShare(id), share => share.RevokeAsync(id, reason)).ConfigureAwait(false))
        {
            isFound = true;
            await ToldAsync(id).ConfigureAwait(false);
        }

        foreach (var known in byBearer.Values.Select(k => k.Holder ?? k).Where(k => k.Principal?.Id == id))
        {
            known.Principal!.Revoke(); // Here at once; elsewhere when they ask again.
        }

        return isFound;
    }

    public async ValueTask<Refusal> RotateAsync(string client, string publicKey)
    {
        using var key = PublicKey.TryRead(publicKey);
        if (key is null)
        {
            return Refusal.KeyInvalid;
        }

        if (!await AskAsync(ClientShare(client), share => share.RotateAsync(client, publicKey)).ConfigureAwait(false))
        {
            return Refusal.ClientUnknown;
        }

        await ToldAsync(client).ConfigureAwait(false);
        return Refusal.None;
    }

    public async ValueTask<IReadOnlyList<string?>> NamesAsync(IReadOnlyList<string> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var names = new string?[ids.Count];
        await Task.WhenAll(Enumerable.Range(0, ids.Count).GroupBy(i => Shares.OfClient(ids[i])).Select(async share =>
        {
            int[] places = [.. share];
            var found = await AskAsync(Grains.GetGrain<IRegistryGrain>(share.Key), s => s.NamesAsync([.. places.Select(i => ids[i])])).ConfigureAwait(false);
            for (var i = 0; i < places.Length; i++)
            {
                names[places[i]] = found[i];
            }
        })).ConfigureAwait(false);
        return names;
    }

    public async ValueTask<IReadOnlyList<EnrolledClient>> ClientsAsync() =>
    [
        .. (await FromAllAsync(share => share.ClientsAsync()).ConfigureAwait(false))
            .Select(c => new EnrolledClient(c.Client, c.Name, c.EnrolledAt, c.RevokedAt, c.Key is not null)
            {
                Activity = c.Note is { } note
                    ? new ClientActivity(note.LastSeen, note.SecondsPerStep, [.. note.Runs.Select(r => new ClientPart(r.Run, r.Number, r.Granted, r.Taken))])
                    : null,
            })
            .OrderBy(c => c.Name, StringComparer.Ordinal).ThenBy(c => c.Client, StringComparer.Ordinal),
    ];

    public async ValueTask<IReadOnlyList<IssuedToken>> TokensAsync() =>
    [
        .. (await FromAllAsync(share => share.TokensAsync()).ConfigureAwait(false))
            .Select(t => new IssuedToken(t.Token, t.Role is { } role ? role.ToString().ToLowerInvariant() : "enrolment", t.Name, t.Expires, t.State))
            .OrderBy(t => t.Id, StringComparer.Ordinal),
    ];

    /// <summary>What the cluster knows of one client; null when it is not enrolled.</summary>
    internal async Task<ClientRecord?> DescribeAsync(string client) =>
        await AskAsync(Grains.GetGrain<IClientGrain>(client), c => c.DescribeAsync()).ConfigureAwait(false);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private IRegistryGrain ClientShare(string client) => Grains.GetGrain<IRegistryGrain>(Shares.OfClient(client));

    private IRegistryGrain TokenShare(string digestOrId) => Grains.GetGrain<IRegistryGrain>(Shares.OfToken(digestOrId));

    private Task<TReply> AskAsync<TGrain, TReply>(TGrain grain, Func<TGrain, Task<TReply>> ask) =>
        Patience.AskAsync(() => ask(grain), frontDoor.FailoverPatience, clock, CancellationToken.None);

    private async Task<IEnumerable<TItem>> FromAllAsync<TItem>(Func<IRegistryGrain, Task<TItem[]>> ask)
    {
        var shares = await Task.WhenAll(Enumerable.Range(0, Shares.Count).Select(n => AskAsync(Grains.GetGrain<IRegistryGrain>(n), ask))).ConfigureAwait(false);
        return shares.SelectMany(s => s);
    }

    private async Task<bool> AddAsync(string client, string name, string? key)
    {
        if (!await AskAsync(ClientShare(client), share => share.AddAsync(client, name, key)).ConfigureAwait(false))
        {
            return false;
        }

        await ToldAsync(client).ConfigureAwait(false);
        return true;
    }

    private Task ToldAsync(string client) =>
        Patience.AskAsync(Grains.GetGrain<IClientGrain>(client).ChangedAsync, frontDoor.FailoverPatience, clock, CancellationToken.None);

    private async ValueTask<(string Id, string Token)> CreateAsync(Role? role, string name, TimeSpan? lifetime, bool reusable)
    {
        var (id, token, digest) = BearerTokens.New(role);
        var record = new TokenRecord(id, digest, name, role, lifetime is { } span ? Now + span.TotalSeconds : null, reusable, false, "");
        var share = TokenShare(digest);
        await Patience.AskAsync(() => share.AddTokenAsync(record), frontDoor.FailoverPatience, clock, CancellationToken.None).ConfigureAwait(false);
        return (id, token);
    }

    /// <summary>Asks how somebody stands, unless that was asked a moment ago.</summary>
    private async ValueTask<Refusal> StandingAsync(Known known)
    {
        if (known.Principal is { } present && clock.GetElapsedTime(Volatile.Read(ref known.AskedAt)) < frontDoor.StandingLease)
        {
            return present.IsRevoked ? Refusal.TokenRevoked : Refusal.None;
        }

        if (known.Client is { } client)
        {
            if (await AskAsync(Grains.GetGrain<IClientGrain>(client), c => c.SeenAsync()).ConfigureAwait(false) is not { } standing)
            {
                known.Principal = null;
                return Refusal.ClientUnknown;
            }

            known.Hear(new Principal(Role.Client, client, standing.Name), standing.IsRevoked, clock.GetTimestamp());
        }
        else
        {
            var digest = BearerTokens.DigestOf(known.Key);
            if (await AskAsync(TokenShare(digest), share => share.FindTokenAsync(digest)).ConfigureAwait(false) is not { Role: { } role } token)
            {
                return Refusal.CredentialInvalid;
            }

            known.Expires = token.Expires ?? double.PositiveInfinity;
            known.Hear(new Principal(role, token.Token, token.Name), token.IsRevoked, clock.GetTimestamp());
        }

        return known.Principal!.IsRevoked ? Refusal.TokenRevoked : Refusal.None;
    }

    private Known KnownOf(string client)
    {
        if (byClient.Count > MaxCached)
        {
            byClient.Clear();
        }

        return byClient.GetOrAdd(client, static id => new Known(id, id, double.PositiveInfinity, null));
    }

    private static void Remember(ConcurrentDictionary<string, Known> cache, string key, Known known)
    {
        if (cache.TryAdd(key, known) && cache.Count > MaxCached)
        {
            cache.Clear();
        }
    }

    private sealed record Cluster(IGrainFactory Grains, AccessTokens AccessTokens, string Coordinator);

    /// <summary>Somebody, as last heard. A bearer token of a client leads to the client, so that all its tokens share what is heard.</summary>
    private sealed class Known(string key, string? client, double expires, Known? holder)
    {
        public long AskedAt;

        public string Key => key;

        public string? Client => client;

        public Known? Holder => holder;

        public double Expires { get; set; } = expires;

        public Principal? Principal { get; set; }

        public void Hear(Principal heard, bool isRevoked, long now)
        {
            // One object per identity: whoever holds it sees the revocation.
            Principal = Principal is { } present && present.Name == heard.Name ? present : heard;
            if (isRevoked)
            {
                Principal.Revoke();
            }

            Volatile.Write(ref AskedAt, now);
        }
    }
}

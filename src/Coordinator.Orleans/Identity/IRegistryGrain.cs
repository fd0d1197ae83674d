using Federated.Coordinator.Identity;

namespace Federated.Coordinator.Orleans.Identity;

/// <summary>One share of the cluster's identities; the key is its number. Clients and tokens belong to the share that <see cref="Shares"/> says.</summary>
/// <remarks>A change is durable before it is answered, and safe to repeat. An <see cref="OrleansException"/> says that the share is moving: ask again.</remarks>
[Alias("fed.registry")]
internal interface IRegistryGrain : IGrainWithIntegerKey
{
    /// <summary>The secret that signs access tokens; made when it is asked for first. Share 0 has it.</summary>
    [Alias("secret")]
    Task<byte[]> SecretAsync();

    /// <returns>Null when no such client is enrolled.</returns>
    [Alias("find")]
    Task<ClientRecord?> FindAsync(string client);

    /// <summary>Enrols a client; false when there are as many as may be.</summary>
    [Alias("add")]
    Task<bool> AddAsync(string client, string name, string? key);

    /// <returns>False when no such client is enrolled.</returns>
    [Alias("rotate")]
    Task<bool> RotateAsync(string client, string key);

    /// <returns>False when this share has neither client nor token of that id.</returns>
    [Alias("revoke")]
    Task<bool> RevokeAsync(string id, string reason);

    /// <summary>Takes an assertion's id; false when it was taken before.</summary>
    [Alias("take")]
    Task<bool> TakeAsync(string client, string assertion);

    /// <summary>Makes a token durable.</summary>
    [Alias("add-token")]
    Task AddTokenAsync(TokenRecord token);

    /// <returns>Null when there is no such token for an operator or a viewer.</returns>
    [Alias("find-token")]
    Task<TokenRecord?> FindTokenAsync(string digest);

    /// <summary>Uses an enrolment token for a client.</summary>
    [Alias("use-token")]
    Task<Refusal> UseTokenAsync(string digest, string client);

    /// <summary>Keeps what a client grain knows of its client.</summary>
    [Alias("note")]
    Task NoteAsync(ClientNote note);

    /// <summary>Names of clients of this share; null for one that is not enrolled.</summary>
    [Alias("names")]
    Task<string?[]> NamesAsync([Immutable] string[] clients);

    [Alias("clients")]
    Task<ClientRecord[]> ClientsAsync();

    [Alias("tokens")]
    Task<TokenRecord[]> TokensAsync();
}

/// <summary>A client as its share has it.</summary>
[GenerateSerializer, Immutable, Alias("fed.client-record")]
internal sealed record ClientRecord(
    [property: Id(0)] string Client,
    [property: Id(1)] string Name,
    [property: Id(2)] string? Key,
    [property: Id(3)] double EnrolledAt,
    [property: Id(4)] double? RevokedAt,
    [property: Id(5)] ClientNote? Note);

/// <summary>A token as its share has it. <see cref="State"/> is set in lists only.</summary>
[GenerateSerializer, Immutable, Alias("fed.token-record")]
internal sealed record TokenRecord(
    [property: Id(0)] string Token,
    [property: Id(1)] string Digest,
    [property: Id(2)] string Name,
    [property: Id(3)] Role? Role,
    [property: Id(4)] double? Expires,
    [property: Id(5)] bool IsReusable,
    [property: Id(6)] bool IsRevoked,
    [property: Id(7)] string State);

/// <summary>What a client grain knows of its client beyond its credentials, as of its last note.</summary>
/// <param name="LastSeen">Unix seconds.</param>
/// <param name="SecondsPerStep">From assignment to update over local steps, smoothed; 0 before the first.</param>
[GenerateSerializer, Immutable, Alias("fed.client-note")]
internal sealed record ClientNote(
    [property: Id(0)] string Client,
    [property: Id(1)] double LastSeen,
    [property: Id(2)] double SecondsPerStep,
    [property: Id(3)] Participation[] Runs);

/// <summary>One client's part in one run.</summary>
/// <param name="Number">The client's number in the run.</param>
/// <param name="Granted">Assignments it was given.</param>
/// <param name="Taken">Updates of it that counted.</param>
[GenerateSerializer, Immutable, Alias("fed.participation")]
internal sealed record Participation([property: Id(0)] string Run, [property: Id(1)] int Number, [property: Id(2)] long Granted, [property: Id(3)] long Taken);

namespace Federated.Coordinator.Identity;

/// <summary>Who may do what: enrolled clients with their public keys, enrolment tokens, operators' and viewers' tokens. Thread-safe.</summary>
/// <remarks>One coordinator keeps them in files (<see cref="IdentityStore"/>), the silos of a cluster in grains that all of them ask. A change is durable before it is answered.</remarks>
public interface IIdentities : IAsyncDisposable
{
    /// <summary>The coordinator's id: <c>aud</c> of assertions. The same for as long as its secret is.</summary>
    string Coordinator { get; }

    /// <summary>Who sends this bearer token.</summary>
    ValueTask<(Principal? Who, Refusal Refusal)> AuthenticateAsync(string bearer);

    /// <summary>Whom a certificate of the private authority names; a client that the authority vouches for is enrolled by its first request.</summary>
    /// <param name="client">The certificate's common name.</param>
    ValueTask<(Principal? Who, Refusal Refusal)> AuthenticateCertificateAsync(string client);

    /// <summary>Enrols a client. Sent again with the same token and key it gives the same reply.</summary>
    ValueTask<(string? Client, Refusal Refusal)> EnrolAsync(string token, string publicKey, string name);

    /// <summary>An access token for an assertion, which is taken once.</summary>
    ValueTask<(string? Token, double Seconds, Refusal Refusal, string Detail)> ExchangeAsync(string assertion);

    /// <summary>Makes a token that operators or viewers carry.</summary>
    /// <param name="role">Operator or viewer.</param>
    /// <returns>The token's id, and the token: it is shown once and not kept.</returns>
    ValueTask<(string Id, string Token)> CreateAccessTokenAsync(Role role, string name, TimeSpan? lifetime);

    /// <summary>Makes an enrolment token: one-time, unless <paramref name="reusable"/>.</summary>
    ValueTask<(string Id, string Token)> CreateEnrolmentTokenAsync(string name, TimeSpan? lifetime, bool reusable);

    /// <summary>Revokes a client or a token by its id, for good.</summary>
    /// <returns>False when there is none.</returns>
    ValueTask<bool> RevokeAsync(string id, string reason);

    /// <summary>Replaces a client's key; assertions by the old one are refused from here on.</summary>
    ValueTask<Refusal> RotateAsync(string client, string publicKey);

    /// <summary>The names that clients enrolled under, in the order asked; null for one that is not enrolled.</summary>
    ValueTask<IReadOnlyList<string?>> NamesAsync(IReadOnlyList<string> ids);

    /// <summary>A client's public key, as it was enrolled; null for one that has none, or where keys cannot be asked for.</summary>
    ValueTask<string?> KeyOfAsync(string client) => ValueTask.FromResult<string?>(null);

    /// <summary>All enrolled clients, by name.</summary>
    ValueTask<IReadOnlyList<EnrolledClient>> ClientsAsync();

    /// <summary>All tokens that were given out, by id.</summary>
    ValueTask<IReadOnlyList<IssuedToken>> TokensAsync();
}

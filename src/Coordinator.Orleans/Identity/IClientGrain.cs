using Federated.Coordinator.Identity;
using Federated.Protocol;
using Orleans.Concurrency;

namespace Federated.Coordinator.Orleans.Identity;

/// <summary>One client of the cluster: its credentials, when it was last seen, how fast it is, what it took part in. The key is its id.</summary>
[Alias("fed.client")]
internal interface IClientGrain : IGrainWithStringKey
{
    /// <summary>Says that the client is here, and hears whether it may be.</summary>
    /// <returns>Null when no such client is enrolled.</returns>
    [Alias("seen")]
    Task<ClientStanding?> SeenAsync();

    /// <summary>Checks an assertion and takes it.</summary>
    [Alias("exchange")]
    Task<AssertionVerdict> ExchangeAsync(string assertion, string coordinator);

    /// <summary>The registry has changed: it is read again.</summary>
    [Alias("changed")]
    Task ChangedAsync();

    /// <summary>The client was given an assignment, perhaps once more.</summary>
    [OneWay, Alias("granted")]
    Task GrantedAsync(string run, ClientId number, AssignmentId assignment);

    /// <summary>An update of the client has counted.</summary>
    [OneWay, Alias("taken")]
    Task TakenAsync(string run, ClientId number, AssignmentId assignment, int steps);

    /// <returns>Null when no such client is enrolled.</returns>
    [Alias("note")]
    Task<ClientRecord?> DescribeAsync();
}

/// <summary>Who a client is, and whether it is welcome.</summary>
[GenerateSerializer, Immutable, Alias("fed.client-standing")]
internal sealed record ClientStanding([property: Id(0)] string Name, [property: Id(1)] bool IsRevoked);

/// <summary>What came of an assertion.</summary>
[GenerateSerializer, Immutable, Alias("fed.assertion-verdict")]
internal readonly record struct AssertionVerdict([property: Id(0)] Refusal Refusal, [property: Id(1)] string Detail);

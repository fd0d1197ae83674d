namespace Federated.Privacy.Accounting;

/// <summary>One row of a participation ledger: a client took part in an event so many times.</summary>
/// <param name="Client">The client.</param>
/// <param name="Event">What it took part in.</param>
/// <param name="Count">How many times.</param>
public readonly record struct ParticipationEntry<TClient>(TClient Client, MechanismEvent Event, int Count)
    where TClient : notnull;

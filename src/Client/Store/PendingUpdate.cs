using Federated.Protocol.Wire;

namespace Federated.Client.Store;

/// <summary>A finished update whose outcome is not known yet; it outlives the process.</summary>
/// <param name="Assignment">The assignment that it answers.</param>
/// <param name="BaseVersion">The version that it started from.</param>
/// <param name="Declaration">As it is declared; its blobs are parts of the store.</param>
/// <param name="HasMemory">Whether the client remembers something of it once it is accepted.</param>
public sealed record PendingUpdate(long Assignment, int BaseVersion, UpdateDeclaration Declaration, bool HasMemory)
{
    /// <summary>The shuffler that it goes to, as one sealed envelope, instead of to the coordinator; null for none.</summary>
    public string? Shuffler { get; init; }

    /// <summary>What is shown to the shuffler before the envelope.</summary>
    public string? TicketProof { get; init; }
}

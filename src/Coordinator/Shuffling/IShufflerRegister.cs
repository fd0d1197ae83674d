using Federated.Protocol.Wire;

namespace Federated.Coordinator.Shuffling;

/// <summary>Where the registered shufflers are kept: in a file of this coordinator, or where all silos of a cluster read. Thread-safe; a change is durable when it returns.</summary>
internal interface IShufflerRegister
{
    /// <returns>Null when there is none of that name.</returns>
    ValueTask<ShufflerMessage?> ReadAsync(string name, CancellationToken cancellation);

    /// <summary>All of them, in the ordinal order of their names.</summary>
    ValueTask<IReadOnlyList<ShufflerMessage>> ListAsync(CancellationToken cancellation);

    /// <summary>In place of one of the same name.</summary>
    ValueTask WriteAsync(ShufflerMessage shuffler, CancellationToken cancellation);

    ValueTask RemoveAsync(string name, CancellationToken cancellation);
}

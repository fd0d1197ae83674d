using System.Numerics;

namespace Federated.Aggregation.Anarchic;

/// <summary>
/// The latest vector of each client, by client id: in memory for simulations, in a store with a cache where N·d is too much to hold.
/// </summary>
/// <remarks>
/// An aggregator's owner calls from one thread. What was written must be read back to the bit, and survive a restart where the run does:
/// after one, the aggregator sums the memory anew.
/// </remarks>
public interface IClientMemory<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Clients that have a vector.</summary>
    IReadOnlyCollection<int> Clients { get; }

    /// <summary>Reads a client's vector.</summary>
    /// <param name="client">Client id.</param>
    /// <param name="destination">d coordinates; overwritten when there is a vector.</param>
    /// <param name="sequence">The number that it was written with.</param>
    /// <returns>False when the client has none.</returns>
    bool TryRead(int client, Span<T> destination, out long sequence);

    /// <summary>Replaces a client's vector.</summary>
    void Write(int client, long sequence, ReadOnlySpan<T> vector);

    /// <summary>Forgets a client's vector, if there is one.</summary>
    void Remove(int client);
}

using Federated.Coordinator.Storage;

namespace Federated.Coordinator.Hosting;

/// <summary>The runs that a front door serves: those of this process, or of the cluster that it is part of. Thread-safe.</summary>
public interface IRuns : IAsyncDisposable
{
    /// <summary>All runs that are known here, in no meaningful order.</summary>
    IReadOnlyCollection<IRun> Runs { get; }

    /// <summary>Those of them that this process hosts, and therefore counts.</summary>
    IReadOnlyCollection<IRun> Hosted { get; }

    /// <summary>Why requests should go elsewhere for now; empty when they need not.</summary>
    string NotReady { get; }

    /// <summary>The silos of the cluster that this process is one of; empty when it is alone.</summary>
    IReadOnlyList<SiloFacts> Silos { get; }

    /// <inheritdoc cref="RunRegistry.Blobs"/>
    IBlobStore Blobs { get; }

    /// <returns>Null when there is no such run.</returns>
    ValueTask<IRun?> FindAsync(string id, CancellationToken cancellation);

    /// <summary>Hears of runs that were created elsewhere a moment ago, so that <see cref="Runs"/> has them.</summary>
    ValueTask LearnAsync(CancellationToken cancellation) => ValueTask.CompletedTask;

    /// <inheritdoc cref="RunRegistry.CreateAsync(string, ReadOnlyMemory{byte}, CancellationToken)"/>
    Task<IRun> CreateAsync(string id, ReadOnlyMemory<byte> configuration, CancellationToken cancellation);

    /// <inheritdoc cref="RunRegistry.BranchAsync"/>
    Task<IRun> BranchAsync(string id, string from, int version, ReadOnlyMemory<byte>? configuration, CancellationToken cancellation);

    /// <inheritdoc cref="RunRegistry.DeleteAsync"/>
    Task<bool> DeleteAsync(string id, CancellationToken cancellation);

    /// <summary>Lets go of what this process hosts, in good order: requests that are in are answered, long polls let go, every run saved.</summary>
    Task CloseAsync();
}

/// <summary>One silo of a cluster, for people to see.</summary>
/// <param name="Address">Where other silos reach it.</param>
/// <param name="Status">joining, active, shuttingdown, stopping.</param>
/// <param name="Runs">Runs that it hosts, as far as is known here.</param>
/// <param name="IsHere">Whether it is the one that is asked.</param>
public sealed record SiloFacts(string Name, string Address, string Status, int Runs, bool IsHere);

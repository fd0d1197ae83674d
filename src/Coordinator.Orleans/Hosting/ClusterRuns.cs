using System.Collections.Concurrent;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Storage;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>The runs of a cluster, for the front door of one silo: creates, finds, branches and deletes them. Thread-safe.</summary>
public sealed class ClusterRuns
{
    private readonly IGrainFactory grains;
    private readonly IStore store;
    private readonly IRunFactory factory;
    private readonly TimeProvider clock;
    private readonly FrontDoorOptions options;
    private readonly RunCatalog catalog;
    private readonly ConcurrentDictionary<string, ClusterRun> known = new(StringComparer.Ordinal);

    public ClusterRuns(IGrainFactory grains, IStore store, IRunFactory factory, TimeProvider clock, FrontDoorOptions options)
    {
        ArgumentNullException.ThrowIfNull(store);
        (this.grains, this.store, this.factory, this.clock, this.options) = (grains, store, factory, clock, options);
        catalog = new RunCatalog(store.Documents);
    }

    /// <summary>All blobs of the cluster.</summary>
    public IBlobStore Blobs => store.Blobs;

    /// <returns>Null when there is no such run.</returns>
    public async Task<ClusterRun?> FindAsync(string id, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(id);
        if (!RunRegistry.IsId(id) || await catalog.FindAsync(id, cancellation).ConfigureAwait(false) is not (var entry, false))
        {
            known.TryRemove(id, out _);
            return null;
        }

        // The catalog is asked every time: a run may have been deleted, and its name given to another, through another silo's front door.
        if (known.TryGetValue(id, out var run) && run.Entry.CreatedAt == entry.CreatedAt)
        {
            return run;
        }

        return known[id] = new ClusterRun(entry, factory.Create(entry.Configuration, store.Blobs), grains.GetGrain<IRunGrain>(id), clock, options);
    }

    /// <summary>All runs, in ordinal order of their ids.</summary>
    public async Task<IReadOnlyList<ClusterRun>> ListAsync(CancellationToken cancellation)
    {
        List<ClusterRun> runs = [];
        foreach (var (entry, isDeleted) in await catalog.ListAsync(cancellation).ConfigureAwait(false))
        {
            if (!isDeleted && await FindAsync(entry.Id, cancellation).ConfigureAwait(false) is { } run)
            {
                runs.Add(run);
            }
        }

        return runs;
    }

    /// <inheritdoc cref="RunRegistry.CreateAsync(string, ReadOnlyMemory{byte}, CancellationToken)"/>
    public Task<ClusterRun> CreateAsync(string id, ReadOnlyMemory<byte> configuration, CancellationToken cancellation) =>
        CreateAsync(id, configuration, null, cancellation);

    /// <inheritdoc cref="RunRegistry.BranchAsync"/>
    public async Task<ClusterRun> BranchAsync(string id, string from, int version, ReadOnlyMemory<byte>? configuration, CancellationToken cancellation)
    {
        var source = await FindAsync(from, cancellation).ConfigureAwait(false) ?? throw new CoordinatorException($"There is no run '{from}' to branch from.");
        await source.SaveAsync(cancellation).ConfigureAwait(false);
        var versions = (await source.ViewAsync(cancellation).ConfigureAwait(false))?.Versions;
        if (versions is null || !versions.TryGetValue(version, out var blobs))
        {
            throw new CoordinatorException(
                $"Run '{from}' does not hold version {version} any more; it has {string.Join(", ", versions?.Keys ?? [])}. Raise keepLast or keepEvery to hold more.");
        }

        await using var hold = await store.Blobs.HoldAsync(blobs.Deployed, cancellation).ConfigureAwait(false)
            ?? throw new CoordinatorException($"Version {version} of run '{from}' could not be made durable; try again.");
        return await CreateAsync(id, configuration ?? source.Entry.Configuration, new BranchPoint(from, version, blobs.Deployed), cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc cref="RunRegistry.DeleteAsync"/>
    public async Task<bool> DeleteAsync(string id, CancellationToken cancellation)
    {
        known.TryRemove(id, out _);
        return RunRegistry.IsId(id) && await grains.GetGrain<IRunGrain>(id).DeleteAsync().WaitAsync(cancellation).ConfigureAwait(false);
    }

    private async Task<ClusterRun> CreateAsync(string id, ReadOnlyMemory<byte> configuration, BranchPoint? origin, CancellationToken cancellation)
    {
        if (!RunRegistry.IsId(id))
        {
            throw new CoordinatorException($"'{id}' is no id for a run: up to 63 lower-case letters, digits and hyphens are, beginning with a letter or digit.");
        }

        if (await grains.GetGrain<IRunGrain>(id).CreateAsync(configuration.ToArray(), origin).WaitAsync(cancellation).ConfigureAwait(false) is { } problem)
        {
            throw new CoordinatorException(problem);
        }

        return await FindAsync(id, cancellation).ConfigureAwait(false)
            ?? throw new CoordinatorException($"Run '{id}' was created but is not in the catalog; somebody deleted it at once.");
    }
}

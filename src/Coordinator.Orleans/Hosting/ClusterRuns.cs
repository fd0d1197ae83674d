using System.Collections.Concurrent;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Storage;
using Microsoft.Extensions.Logging;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>The runs of a cluster, for the front door of one silo: creates, finds, branches and deletes them, and follows what happens in them. Thread-safe.</summary>
public sealed partial class ClusterRuns : IRuns
{
    private readonly IGrainFactory grains;
    private readonly IStore store;
    private readonly IRunFactory factory;
    private readonly RunCatalog catalog;
    private readonly ClusterDoor door;
    private readonly RunHosting hosting;
    private readonly IClusterMembershipService membership;
    private readonly ILogger<ClusterRuns> logger;
    private readonly ConcurrentDictionary<string, FollowedRun> known = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource stopping = new();
    private int isDisposed;
    private Task following = Task.CompletedTask, noticing = Task.CompletedTask, sweeping = Task.CompletedTask;

    internal ClusterRuns(
        IGrainFactory grains, IStore store, IRunFactory factory, TimeProvider clock, FrontDoorOptions options, RunHosting hosting, IClusterMembershipService membership,
        ILogger<ClusterRuns> logger)
    {
        (this.grains, this.store, this.factory, this.hosting, this.membership, this.logger) = (grains, store, factory, hosting, membership, logger);
        catalog = new RunCatalog(store.Documents);
        door = new ClusterDoor(grains, catalog, clock, options, hosting.Silo);
    }

    public IReadOnlyCollection<IRun> Runs => [.. known.Values.Where(followed => !followed.Run.IsGone).Select(followed => followed.Run)];

    public IReadOnlyCollection<IRun> Hosted => hosting.Hosts;

    /// <summary>Runs on other silos are no reason to send clients away from this one.</summary>
    public string NotReady => stopping.IsCancellationRequested ? "stopping" : "";

    public IReadOnlyList<SiloFacts> Silos
    {
        get
        {
            var runs = known.Values.Where(f => !f.Run.IsGone).GroupBy(f => f.Run.Mirror.Silo).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal);
            return
            [
                .. membership.CurrentSnapshot.Members.Values
                    .Where(m => m.Status is not (SiloStatus.Dead or SiloStatus.None))
                    .OrderBy(m => m.Name, StringComparer.Ordinal).ThenBy(m => m.SiloAddress.ToString(), StringComparer.Ordinal)
                    .Select(m => new SiloFacts(m.Name, m.SiloAddress.Endpoint.ToString(), m.Status.ToString().ToLowerInvariant(), runs.GetValueOrDefault(m.Name), m.Name == hosting.Silo)),
            ];
        }
    }

    /// <summary>All blobs of the cluster.</summary>
    public IBlobStore Blobs => store.Blobs;

    /// <summary>Learns which runs there are, and follows them from here on.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        await ReconcileAsync(cancellation).ConfigureAwait(false);
        following = Task.Run(FollowLoopAsync, CancellationToken.None);
        noticing = Task.Run(NoticeSilosAsync, CancellationToken.None);
        if (door.Options.SweepPeriod > TimeSpan.Zero)
        {
            sweeping = Task.Run(() => new BlobSweeper(store.Blobs, ReferencedAsync, door.Options.SweepPeriod, door.Clock, logger).RunAsync(stopping.Token), CancellationToken.None);
        }
    }

    async ValueTask<IRun?> IRuns.FindAsync(string id, CancellationToken cancellation) => await FindAsync(id, cancellation).ConfigureAwait(false);

    /// <returns>Null when there is no such run.</returns>
    public async ValueTask<ClusterRun?> FindAsync(string id, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(id);
        if (!RunRegistry.IsId(id))
        {
            return null;
        }

        // A run that this door follows tells it when it is deleted; of others the catalog knows.
        if (known.TryGetValue(id, out var followed) && !followed.Run.IsGone && followed.IsFollowed(door.Clock))
        {
            return followed.Run;
        }

        return await catalog.FindAsync(id, cancellation).ConfigureAwait(false) is (var entry, false) ? Know(entry) : Forget(id);
    }

    async Task<IRun> IRuns.CreateAsync(string id, ReadOnlyMemory<byte> configuration, CancellationToken cancellation) =>
        await CreateAsync(id, configuration, null, cancellation).ConfigureAwait(false);

    async Task<IRun> IRuns.BranchAsync(string id, string from, int version, ReadOnlyMemory<byte>? configuration, CancellationToken cancellation) =>
        await BranchAsync(id, from, version, configuration, cancellation).ConfigureAwait(false);

    /// <inheritdoc cref="RunRegistry.CreateAsync(string, ReadOnlyMemory{byte}, CancellationToken)"/>
    public Task<ClusterRun> CreateAsync(string id, ReadOnlyMemory<byte> configuration, CancellationToken cancellation) =>
        CreateAsync(id, configuration, null, cancellation);

    /// <inheritdoc cref="RunRegistry.BranchAsync"/>
    public async Task<ClusterRun> BranchAsync(string id, string from, int version, ReadOnlyMemory<byte>? configuration, CancellationToken cancellation)
    {
        var source = await FindAsync(from, cancellation).ConfigureAwait(false) ?? throw new CoordinatorException($"There is no run '{from}' to branch from.");
        var view = await source.LookAsync(cancellation).ConfigureAwait(false);
        if (view.Saved?.Version != version)
        {
            await source.SaveAsync().ConfigureAwait(false);
            view = await source.LookAsync(cancellation).ConfigureAwait(false);
        }

        if (!view.Versions.TryGetValue(version, out var blobs))
        {
            throw new CoordinatorException(
                $"Run '{from}' does not hold version {version} any more; it has {string.Join(", ", view.Versions.Keys)}. Raise keepLast or keepEvery to hold more.");
        }

        await using var hold = await store.Blobs.HoldAsync(blobs.Deployed, cancellation).ConfigureAwait(false)
            ?? throw new CoordinatorException($"Version {version} of run '{from}' could not be made durable; try again.");
        var inherited = await BranchInheritance.OfAsync(source, version).ConfigureAwait(false);
        var chosen = configuration ?? source.Entry.Configuration;
        var parts = factory.Create(chosen, store.Blobs);
        BranchInheritance.Require(parts.Privacy, inherited);
        var state = RunOrigin.OptimizerFor(version, view.Saved, parts.Model);
        await using var kept = state is null ? null : await store.Blobs.HoldAsync(state, cancellation).ConfigureAwait(false);
        return await CreateAsync(
            id, chosen, new BranchPoint(from, version, blobs.Deployed, RunCatalog.Written(inherited)) { Optimizer = kept is null ? null : state }, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc cref="RunRegistry.DeleteAsync"/>
    public async Task<bool> DeleteAsync(string id, CancellationToken cancellation)
    {
        var isDeleted = RunRegistry.IsId(id) && await grains.GetGrain<IRunGrain>(id).DeleteAsync().WaitAsync(cancellation).ConfigureAwait(false);
        Forget(id);
        return isDeleted;
    }

    /// <summary>Lets long polls go and follows no more. Hosts of this silo are closed by the silo, when it stops.</summary>
    public async Task CloseAsync()
    {
        if (stopping.IsCancellationRequested)
        {
            return;
        }

        await stopping.CancelAsync().ConfigureAwait(false);
        await door.LeaveAsync().ConfigureAwait(false);
        await following.ConfigureAwait(false);
        await noticing.ConfigureAwait(false);
        await sweeping.ConfigureAwait(false);
        foreach (var followed in known.Values)
        {
            followed.Run.Mirror.Close();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref isDisposed, 1) == 0) // Both the server and its services dispose it.
        {
            await CloseAsync().ConfigureAwait(false);
            door.Dispose();
            stopping.Dispose();
        }
    }

    /// <summary>The digests of all blobs that some run needs; null when that is not known of one.</summary>
    internal async Task<IReadOnlySet<string>?> ReferencedAsync(CancellationToken cancellation)
    {
        var referenced = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (entry, isDeleted) in await catalog.ListAsync(cancellation).ConfigureAwait(false))
        {
            if (isDeleted)
            {
                continue;
            }

            if (await Know(entry).ReferencedBlobsAsync(cancellation).ConfigureAwait(false) is not { } needed)
            {
                return null;
            }

            referenced.UnionWith(needed);
        }

        return referenced;
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

        return await catalog.FindAsync(id, cancellation).ConfigureAwait(false) is (var entry, false)
            ? Know(entry)
            : throw new CoordinatorException($"Run '{id}' was created but is not in the catalog; somebody deleted it at once.");
    }
}

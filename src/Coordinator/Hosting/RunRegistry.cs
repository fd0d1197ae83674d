using System.Collections.Concurrent;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Storage;

namespace Federated.Coordinator.Hosting;

/// <summary>The runs of one coordinator process: creates, opens, branches and deletes them, and sweeps the blobs that none of them needs.</summary>
/// <remarks>Thread-safe. Changes of the catalog are made one at a time.</remarks>
public sealed class RunRegistry : IRuns
{
    private readonly IStore store;
    private readonly IRunFactory factory;
    private readonly TimeProvider clock;
    private readonly RunHostOptions options;
    private readonly Action<RunHost>? opened;
    private readonly MemoryBlobs memory = new();
    private readonly RunCatalog catalog;
    private readonly ConcurrentDictionary<string, RunHost> runs = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim changing = new(1, 1);
    private readonly CancellationTokenSource stopping = new();
    private Task sweeping = Task.CompletedTask;

    private RunRegistry(IStore store, IRunFactory factory, TimeProvider clock, RunHostOptions options, Action<RunHost>? opened)
    {
        (this.store, this.factory, this.clock, this.options, this.opened) = (store, factory, clock, options, opened);
        catalog = new RunCatalog(store.Documents);
        Blobs = new RunBlobs(memory, store.Blobs, 0);
    }

    /// <summary>All runs, in no meaningful order.</summary>
    public ICollection<RunHost> Runs => runs.Values;

    IReadOnlyCollection<IRun> IRuns.Runs => [.. runs.Values];

    IReadOnlyList<SiloFacts> IRuns.Silos => [];

    IReadOnlyCollection<IRun> IRuns.Hosted => [.. runs.Values];

    /// <summary>Why requests should go elsewhere for now: runs whose store fails.</summary>
    public string NotReady => runs.Values.Count(r => r.View.Host == HostState.Opening) is > 0 and var opening ? $"{opening} runs are being opened" : "";

    /// <summary>All blobs that can be read, small ones that are only in memory included. What is created here is durable.</summary>
    public IBlobStore Blobs { get; }

    /// <summary>Opens all runs of the store. Traffic is to be refused until this returns.</summary>
    /// <param name="sweepEvery">How often unneeded blobs are looked for; zero for never. It is the time that a client has from an upload to its declaration.</param>
    /// <param name="opened">Told of every run that is opened.</param>
    public static async Task<RunRegistry> OpenAsync(
        IStore store, IRunFactory factory, TimeProvider clock, RunHostOptions options, TimeSpan sweepEvery, CancellationToken cancellation, Action<RunHost>? opened = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(factory);
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(options);
        var registry = new RunRegistry(store, factory, clock, options, opened);
        try
        {
            foreach (var (entry, isDeleted) in await registry.catalog.ListAsync(cancellation).ConfigureAwait(false))
            {
                if (isDeleted)
                {
                    await registry.FinishDeletionAsync(entry, cancellation).ConfigureAwait(false);
                }
                else
                {
                    await registry.StartAsync(entry, cancellation).ConfigureAwait(false);
                }
            }
        }
        catch
        {
            await registry.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        if (sweepEvery > TimeSpan.Zero)
        {
            registry.sweeping = registry.SweepLoopAsync(sweepEvery); // Its time begins now.
        }

        return registry;
    }

    /// <returns>Null when there is no such run.</returns>
    public RunHost? Find(string id) => runs.GetValueOrDefault(id);

    ValueTask<IRun?> IRuns.FindAsync(string id, CancellationToken cancellation) => ValueTask.FromResult<IRun?>(Find(id));

    async Task<IRun> IRuns.CreateAsync(string id, ReadOnlyMemory<byte> configuration, CancellationToken cancellation) =>
        await CreateAsync(id, configuration, cancellation).ConfigureAwait(false);

    async Task<IRun> IRuns.BranchAsync(string id, string from, int version, ReadOnlyMemory<byte>? configuration, CancellationToken cancellation) =>
        await BranchAsync(id, from, version, configuration, cancellation).ConfigureAwait(false);

    /// <summary>Creates a run and starts it. It is durable when this returns.</summary>
    /// <exception cref="CoordinatorException">The id is taken or no id, or the configuration cannot be run; the message says which and why.</exception>
    public Task<RunHost> CreateAsync(string id, ReadOnlyMemory<byte> configuration, CancellationToken cancellation) =>
        CreateAsync(id, configuration, null, cancellation);

    /// <summary>Creates a run that starts from a version of another.</summary>
    /// <param name="configuration">Of the new run; null to take the other's.</param>
    /// <exception cref="CoordinatorException">There is no such run or version, the branch's own privacy budget does not cover what it inherits, or as for <see cref="CreateAsync(string, ReadOnlyMemory{byte}, CancellationToken)"/>.</exception>
    public async Task<RunHost> BranchAsync(string id, string from, int version, ReadOnlyMemory<byte>? configuration, CancellationToken cancellation)
    {
        var source = Find(from) ?? throw new CoordinatorException($"There is no run '{from}' to branch from.");
        if (source.View.Saved?.Version != version)
        {
            await source.SaveAsync().ConfigureAwait(false); // A version that is only in memory becomes a blob, and the latest one gets its state.
        }

        if (!source.View.Versions.TryGetValue(version, out var blobs))
        {
            throw new CoordinatorException(
                $"Run '{from}' does not hold version {version} any more; it has {string.Join(", ", source.View.Versions.Keys)}. Raise keepLast or keepEvery to hold more.");
        }

        await using var hold = await store.Blobs.HoldAsync(blobs.Deployed, cancellation).ConfigureAwait(false)
            ?? throw new CoordinatorException($"Version {version} of run '{from}' could not be made durable; try again.");
        var chosen = configuration ?? source.Entry.Configuration;
        var state = RunOrigin.OptimizerFor(version, source.View.Saved, factory.Create(chosen, store.Blobs).Model);
        await using var kept = state is null ? null : await store.Blobs.HoldAsync(state, cancellation).ConfigureAwait(false);
        var inherited = await BranchInheritance.OfAsync(source, version).ConfigureAwait(false);
        return await CreateAsync(
            id, chosen, new RunOrigin(from, version, blobs.Deployed, inherited) { Optimizer = kept is null ? null : state }, cancellation).ConfigureAwait(false);
    }

    /// <summary>Closes a run and deletes all that only it needs; its blobs go with the next sweeps.</summary>
    /// <returns>False when there is no such run.</returns>
    public async Task<bool> DeleteAsync(string id, CancellationToken cancellation)
    {
        await changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!runs.TryGetValue(id, out var host))
            {
                return false;
            }

            // Marked first: a log that is half gone must never be opened as a run again.
            await catalog.WriteAsync(host.Entry, isDeleted: true, cancellation).ConfigureAwait(false);
            runs.TryRemove(id, out _);
            await host.DisposeAsync().ConfigureAwait(false);
            await FinishDeletionAsync(host.Entry, cancellation).ConfigureAwait(false);
            return true;
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Deletes blobs that no run needs; does nothing while a run is not open, since nobody knows what that one needs.</summary>
    /// <returns>Bytes freed.</returns>
    public async Task<long> SweepAsync(CancellationToken cancellation)
    {
        await changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var isComplete = true;
            var freed = await store.Blobs.SweepAsync(ReferencedAsync, cancellation).ConfigureAwait(false);
            return freed;

            async ValueTask<IReadOnlySet<string>> ReferencedAsync()
            {
                var referenced = new HashSet<string>(StringComparer.Ordinal);
                foreach (var run in runs.Values)
                {
                    if (await run.ReferencedBlobsAsync().ConfigureAwait(false) is { } needed)
                    {
                        referenced.UnionWith(needed);
                    }
                    else
                    {
                        isComplete = false;
                    }
                }

                return isComplete ? referenced : throw new SweepRefusedException();
            }
        }
        catch (SweepRefusedException)
        {
            return 0;
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Closes all runs in good order: requests that are in are answered, long polls let go, every run saved.</summary>
    public async Task CloseAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await sweeping.ConfigureAwait(false);
        await Task.WhenAll(runs.Values.Select(r => r.CloseAsync())).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        foreach (var run in runs.Values)
        {
            await run.DisposeAsync().ConfigureAwait(false);
        }

        runs.Clear();
        stopping.Dispose();
        changing.Dispose();
    }

    private async Task<RunHost> CreateAsync(string id, ReadOnlyMemory<byte> configuration, RunOrigin? origin, CancellationToken cancellation)
    {
        if (!IsId(id))
        {
            throw new CoordinatorException($"'{id}' is no id for a run: up to 63 lower-case letters, digits and hyphens are, beginning with a letter or digit.");
        }

        var parts = factory.Create(configuration, store.Blobs); // What cannot be run is refused before anything is written.
        if (origin is not null)
        {
            BranchInheritance.Require(parts.Privacy, origin.Inherited);
        }

        await changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (runs.ContainsKey(id))
            {
                throw new CoordinatorException($"There is a run '{id}' already; choose another id.");
            }

            var entry = RunEntry.New(id, clock.GetUtcNow(), configuration.ToArray(), origin);
            await catalog.WriteAsync(entry, isDeleted: false, cancellation).ConfigureAwait(false);
            return await StartAsync(entry, cancellation).ConfigureAwait(false);
        }
        finally
        {
            changing.Release();
        }
    }

    private async Task<RunHost> StartAsync(RunEntry entry, CancellationToken cancellation)
    {
        var host = await RunHost.OpenAsync(entry, factory, store, memory, clock, options, cancellation).ConfigureAwait(false);
        runs[entry.Id] = host;
        opened?.Invoke(host);
        return host;
    }

    private async Task FinishDeletionAsync(RunEntry entry, CancellationToken cancellation)
    {
        await store.DeleteLogAsync(entry.Log, cancellation).ConfigureAwait(false);
        await catalog.RemoveAsync(entry.Id, cancellation).ConfigureAwait(false);
    }

    private async Task SweepLoopAsync(TimeSpan every)
    {
        using var timer = new PeriodicTimer(every, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token).ConfigureAwait(false))
            {
                try
                {
                    await SweepAsync(stopping.Token).ConfigureAwait(false);
                }
                catch (StorageException)
                {
                    // The next one may go better; a run whose store fails says so itself.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Closing.
        }
    }

    internal static bool IsId(string id) =>
        id is { Length: > 0 and <= 63 } && id[0] != '-' && id.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    private sealed class SweepRefusedException : Exception;
}

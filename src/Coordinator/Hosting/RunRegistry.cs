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

    /// <summary>Runs of which nobody knows what they need, and the blobs that were there when the last of them was noticed: theirs are among them.</summary>
    private (HashSet<string> Runs, IReadOnlySet<string> Blobs) spared = ([], new HashSet<string>());

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

    /// <summary>Which runs cannot be asked since their store fails, and why. One that is damaged is none of them: waiting does not mend it, and the others are served.</summary>
    public string NotReady => string.Join('\n', runs.Values
        .Select(r => (r.Entry.Id, r.View)).Where(r => r.View.Host == HostState.Opening).OrderBy(r => r.Id, StringComparer.Ordinal)
        .Select(r => $"run '{r.Id}' is being opened{(r.View.Problem.Length > 0 ? $" again and again: {r.View.Problem}" : "")}"));

    /// <summary>All blobs that can be read, small ones that are only in memory included. What is created here is durable.</summary>
    public IBlobStore Blobs { get; }

    /// <summary>
    /// Opens all runs of the store, each as far as it can be: one that is damaged says so in its <see cref="RunHost.View"/>, one whose store fails goes on
    /// trying; neither keeps the others from being served. Traffic is to be refused until this returns.
    /// </summary>
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
            foreach (var (entry, isDeleted) in await registry.catalog.ListAsync(cancellation, withDamaged: true).ConfigureAwait(false))
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
        if (source.View is { Host: not HostState.Open } closed)
        {
            throw new CoordinatorException($"Run '{from}' cannot be branched while it is {closed.Host.ToString().ToLowerInvariant()}: what its versions cost is not known for certain. {closed.Problem}");
        }

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
            await FinishDeletionAsync(host.Entry, cancellation).ConfigureAwait(false); // Of an entry that could not be read, the log's name is not known: it stays.
            return true;
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>
    /// Deletes blobs that no run needs; does nothing while a run is being opened, since nobody knows what that one needs. Of runs that are damaged or have
    /// failed, nobody knows it either: whatever is there when one of them is noticed is spared, what comes later is not.
    /// </summary>
    /// <returns>Bytes freed.</returns>
    public async Task<long> SweepAsync(CancellationToken cancellation)
    {
        await changing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var isComplete = true;
            HashSet<string> unreadable = [];
            Everything? seen = null;
            var freed = await store.Blobs.SweepAsync(ReferencedAsync, cancellation).ConfigureAwait(false);
            spared = seen is not null ? (unreadable, seen) : unreadable.Count == 0 ? ([], new HashSet<string>()) : spared;
            return freed;

            async ValueTask<IReadOnlySet<string>> ReferencedAsync()
            {
                var referenced = new HashSet<string>(StringComparer.Ordinal);
                foreach (var run in runs.Values)
                {
                    if (run.View.Host.IsUnreadable())
                    {
                        unreadable.Add(run.Entry.Id);
                    }
                    else if (await run.ReferencedBlobsAsync().ConfigureAwait(false) is { } needed)
                    {
                        referenced.UnionWith(needed);
                    }
                    else
                    {
                        isComplete = false;
                    }
                }

                if (!isComplete)
                {
                    throw new SweepRefusedException();
                }

                if (!unreadable.IsSubsetOf(spared.Runs))
                {
                    return seen = new Everything();
                }

                referenced.UnionWith(unreadable.Count > 0 ? spared.Blobs : referenced);
                return referenced;
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
        var host = await RunHost.StartAsync(entry, factory, store, memory, clock, options, untilOpen: false, cancellation).ConfigureAwait(false);
        runs[entry.Id] = host;
        opened?.Invoke(host);
        if (!entry.HasBegun && host.View is { Host: HostState.Open, Sequence: > 0 })
        {
            await catalog.WriteAsync(entry with { HasBegun = true }, isDeleted: false, cancellation).ConfigureAwait(false);
        }

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
                catch (Exception e) when (e is StorageException or IOException or UnauthorizedAccessException)
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

    /// <summary>Whatever it is asked for is in it, and stays.</summary>
    private sealed class Everything() : HashSet<string>(StringComparer.Ordinal), IReadOnlySet<string>
    {
        bool IReadOnlySet<string>.Contains(string item)
        {
            Add(item);
            return true;
        }
    }
}

using System.Collections.Concurrent;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Storage;

namespace Federated.Coordinator.Orleans.Grains;

/// <summary>What the run grains of one silo share: the store, the factory of runs, and the catalog.</summary>
/// <param name="silo">Names this silo.</param>
internal sealed class RunHosting(IStore store, IRunFactory factory, TimeProvider clock, RunHostOptions options, string silo)
{
    private readonly RunCatalog catalog = new(store.Documents);
    private readonly MemoryBlobs memory = new();
    private readonly ConcurrentDictionary<RunHost, byte> hosts = [];
    private Action<RunHost>? opened;

    /// <summary>Clients fetch versions at any silo, so that none may stand in the memory of this one alone.</summary>
    private readonly RunHostOptions options = options with { Durability = options.Durability with { VersionsInMemory = false } };

    public string Silo => silo;

    /// <summary>The runs that are on this silo.</summary>
    public IReadOnlyCollection<RunHost> Hosts => [.. hosts.Keys];

    /// <summary>Has every run told of that is on this silo, or comes to it, once.</summary>
    public void Watch(Action<RunHost> watcher)
    {
        lock (hosts)
        {
            opened = watcher;
            foreach (var host in hosts.Keys)
            {
                watcher(host);
            }
        }
    }

    /// <returns>Null when there is no such run, or when its deletion had begun.</returns>
    public async Task<RunEntry?> FindAsync(string id, CancellationToken cancellation)
    {
        if (await catalog.FindAsync(id, cancellation) is not var (entry, isDeleted))
        {
            return null;
        }

        if (isDeleted)
        {
            await FinishDeletionAsync(entry, cancellation);
            return null;
        }

        return entry;
    }

    /// <summary>Looks at updates that came to this silo, whose run may be on another.</summary>
    public Intake Intake(IRunModel model, UpdateSubmission submission) => new(store.Blobs, memory, 0, model, submission);

    /// <returns>Null, or why such a run cannot be here.</returns>
    public string? ProblemOf(RunEntry entry)
    {
        try
        {
            _ = factory.Create(entry.Configuration, store.Blobs);
            return null;
        }
        catch (CoordinatorException e)
        {
            return e.Message;
        }
    }

    /// <returns>False when there is a run of that id.</returns>
    public async Task<bool> CreateAsync(RunEntry entry, CancellationToken cancellation) => await catalog.CreateAsync(entry, cancellation);

    public async Task<RunHost> OpenAsync(RunEntry entry, CancellationToken cancellation)
    {
        var host = await RunHost.OpenAsync(entry, factory, store, memory, clock, options, cancellation);
        lock (hosts)
        {
            hosts.TryAdd(host, 0);
            opened?.Invoke(host);
        }

        return host;
    }

    /// <summary>Answers requests that are in, lets long polls go, saves the run.</summary>
    public async Task CloseAsync(RunHost host)
    {
        hosts.TryRemove(host, out _);
        await host.DisposeAsync();
    }

    /// <summary>As <see cref="CloseAsync"/>, for all runs that are here. Their grains then leave one by one.</summary>
    public Task CloseAllAsync() => Task.WhenAll(Hosts.Select(host => host.CloseAsync()));

    public async Task MarkDeletedAsync(RunEntry entry, CancellationToken cancellation) => await catalog.WriteAsync(entry, isDeleted: true, cancellation);

    public async Task FinishDeletionAsync(RunEntry entry, CancellationToken cancellation)
    {
        await store.DeleteLogAsync(entry.Log, cancellation);
        await catalog.RemoveAsync(entry.Id, cancellation);
    }
}

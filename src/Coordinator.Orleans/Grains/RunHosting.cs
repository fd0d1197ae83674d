using Federated.Coordinator.Hosting;
using Federated.Coordinator.Storage;

namespace Federated.Coordinator.Orleans.Grains;

/// <summary>What the run grains of one silo share: the store, the factory of runs, and the catalog.</summary>
internal sealed class RunHosting(IStore store, IRunFactory factory, TimeProvider clock, RunHostOptions options)
{
    private readonly RunCatalog catalog = new(store.Documents);
    private readonly MemoryBlobs memory = new();

    /// <summary>Clients fetch versions at any silo, so that none may stand in the memory of this one alone.</summary>
    private readonly RunHostOptions options = options with { Durability = options.Durability with { VersionsInMemory = false } };

    /// <returns>Null when there is no such run, or when its deletion had begun.</returns>
    public async Task<RunEntry?> FindAsync(string id, CancellationToken cancellation)
    {
        if (await catalog.FindAsync(id, cancellation) is not var (entry, isDeleted))
        {
            return null;
        }

        if (isDeleted)
        {
            await FinishDeletionAsync(id, cancellation);
            return null;
        }

        return entry;
    }

    /// <returns>Null, or why the run cannot be.</returns>
    public async Task<string?> CreateAsync(RunEntry entry, CancellationToken cancellation)
    {
        try
        {
            _ = factory.Create(entry.Configuration, store.Blobs);
        }
        catch (CoordinatorException e)
        {
            return e.Message;
        }

        await catalog.WriteAsync(entry, isDeleted: false, cancellation);
        return null;
    }

    public Task<RunHost> OpenAsync(RunEntry entry, CancellationToken cancellation) =>
        RunHost.OpenAsync(entry, factory, store, memory, clock, options, cancellation);

    public async Task MarkDeletedAsync(RunEntry entry, CancellationToken cancellation) => await catalog.WriteAsync(entry, isDeleted: true, cancellation);

    public async Task FinishDeletionAsync(string id, CancellationToken cancellation)
    {
        await store.DeleteLogAsync(id, cancellation);
        await catalog.RemoveAsync(id, cancellation);
    }
}

using System.Text;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Tests.Storage;

namespace Federated.Coordinator.Tests.Hosting;

/// <content>A run that cannot be read: it says so, keeps what it has, and keeps nobody else from going on.</content>
public abstract partial class RunRegistryConformance
{
    /// <summary>Makes a log that can be read into one that cannot, in its middle.</summary>
    protected abstract ValueTask DamageAsync(string log);

    /// <summary>What the store holds of a log, so that a change shows.</summary>
    protected abstract ValueTask<string> StoredAsync(string log);

    [ConformanceFact]
    public async Task ADamagedLogIsToldOfAndLeftAsItIsAndTheOtherRunsGoOn()
    {
        var (mortal, faltering) = await OpenMortalAsync();
        var entry = (await mortal.CreateAsync("a", TestFactory.Buffered(1, 1), default)).Entry;
        var lease = await WorkAsync(mortal.Find("a")!, "c", 2);
        await WorkAsync(await mortal.CreateAsync("b", TestFactory.Buffered(1, 1), default), "c", 3);
        await CrashAsync(mortal, faltering, entry.Log);
        var stored = await StoredAsync(entry.Log);

        var (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        var damaged = registry.Find("a")!;
        Assert.Equal(HostState.Damaged, damaged.View.Host);
        Assert.Contains("estore", damaged.View.Problem, StringComparison.Ordinal); // What to do.
        Assert.Equal("", registry.NotReady);
        Assert.Equal(HostOutcome.Failed, Assert.IsType<UpdateNotAsked>(await damaged.SubmitAsync(TestFactory.Submission(lease), default)).Outcome);
        Assert.Equal(HostOutcome.Failed, (await damaged.JoinAsync("d", 1)).Outcome);
        Assert.Equal(3, (await WorkAsync(registry.Find("b")!, "c", 0)).BaseVersion);
        var refusal = await Assert.ThrowsAsync<CoordinatorException>(() => registry.BranchAsync("c", "a", 0, null, default));
        Assert.Contains("cannot be branched while it is damaged", refusal.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<CoordinatorException>(() => registry.CreateAsync("a", TestFactory.Buffered(1, 1), default)); // Its name is taken.
        Assert.Equal(stored, await StoredAsync(entry.Log));

        Assert.True(await registry.DeleteAsync("a", default));
        time.Advance(1);
        Assert.Equal(HostState.Open, (await registry.CreateAsync("a", TestFactory.Buffered(1, 1), default)).View.Host);
    }

    /// <summary>A run that began anew would have spent nothing.</summary>
    [ConformanceFact]
    public async Task ALogThatIsGoneIsDamageAndNotANewRun()
    {
        var (registry, store) = await OpenAsync();
        var log = (await registry.CreateAsync("a", TestFactory.Buffered(1, 1), default)).Entry.Log;
        await registry.DisposeAsync();
        await store.DeleteLogAsync(log, default);
        await store.DisposeAsync();
        (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        Assert.Equal(HostState.Damaged, registry.Find("a")!.View.Host);
        Assert.StartsWith("The run's log is gone", registry.Find("a")!.View.Problem, StringComparison.Ordinal);
    }

    [ConformanceFact]
    public async Task AModelThatIsGoneIsDamage()
    {
        var (registry, store) = await OpenAsync();
        var host = await registry.CreateAsync("a", TestFactory.Buffered(1, 1), default);
        await WorkAsync(host, "c", 1);
        await registry.DisposeAsync(); // Saves it.
        await store.Blobs.SweepAsync(() => ValueTask.FromResult<IReadOnlySet<string>>(new HashSet<string>()), default);
        await store.Blobs.SweepAsync(() => ValueTask.FromResult<IReadOnlySet<string>>(new HashSet<string>()), default);
        await store.Blobs.SweepAsync(() => ValueTask.FromResult<IReadOnlySet<string>>(new HashSet<string>()), default);
        await store.DisposeAsync();
        (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        Assert.Equal(HostState.Damaged, registry.Find("a")!.View.Host);
        Assert.Contains("is not in the store; restore it from a backup", registry.Find("a")!.View.Problem, StringComparison.Ordinal);
    }

    [ConformanceFact]
    public async Task AnEntryOfTheCatalogThatCannotBeReadIsADamagedRun()
    {
        var (registry, store) = await OpenAsync();
        await registry.CreateAsync("a", TestFactory.Buffered(1, 1), default);
        await registry.CreateAsync("b", TestFactory.Buffered(1, 1), default);
        await registry.DisposeAsync();
        var half = (await store.Documents.ReadAsync("runs/a", default))![..40];
        await store.Documents.WriteAsync("runs/a", half, default);
        await store.DisposeAsync();
        (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        Assert.Equal((HostState.Damaged, HostState.Open), (registry.Find("a")!.View.Host, registry.Find("b")!.View.Host));
        Assert.StartsWith("The catalog entry of run 'a' is damaged", registry.Find("a")!.View.Problem, StringComparison.Ordinal);
        Assert.Equal(half, await store.Documents.ReadAsync("runs/a", default));
        Assert.True(await registry.DeleteAsync("a", default));
        Assert.Equal(["b"], await store.Documents.ListAsync("runs", default));
    }

    /// <summary>Nobody knows which blobs a damaged run needs: all that were there are kept, and the store does not fill up with what comes later.</summary>
    [ConformanceFact]
    public async Task TheBlobsOfADamagedRunAreKeptAndThoseThatComeLaterAreSwept()
    {
        var (mortal, faltering) = await OpenMortalAsync();
        var host = await mortal.CreateAsync("a", TestFactory.Buffered(1, 1), default);
        await WorkAsync(host, "c", 2);
        await host.SaveAsync();
        var model = host.View.Versions[2].Model;
        await WorkAsync(host, "c", 2);
        await CrashAsync(mortal, faltering, host.Entry.Log);

        var (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        Assert.Equal(HostState.Damaged, registry.Find("a")!.View.Host);
        await SweepThriceAsync(registry);
        var later = Encoding.UTF8.GetBytes("what nobody needs");
        Federated.Protocol.BlobReference blob;
        await using (var writer = await store.Blobs.CreateAsync(default))
        {
            await writer.WriteAsync(later, default);
            blob = await writer.CommitAsync(null, default);
        }

        await SweepThriceAsync(registry);
        Assert.False(await store.Blobs.ContainsAsync(blob, default));
        Assert.True(await store.Blobs.ContainsAsync(model, default));
        Assert.True(await registry.DeleteAsync("a", default));
        await SweepThriceAsync(registry);
        Assert.False(await store.Blobs.ContainsAsync(model, default));
    }

    [ConformanceFact]
    public async Task ARunWhoseStoreFailsIsTriedAgainWhileTheOthersAreServed()
    {
        var (registry, store) = await OpenAsync();
        var log = (await registry.CreateAsync("a", TestFactory.Buffered(1, 1), default)).Entry.Log;
        await registry.CreateAsync("b", TestFactory.Buffered(1, 1), default);
        await registry.DisposeAsync();
        await store.DisposeAsync();

        var faltering = new FalteringStore(await OpenStoreAsync()) { LoadFailure = new StorageException("The disk is away."), Affected = run => run == log };
        await using var ownedStore = faltering;
        await using var owned = await RunRegistry.OpenAsync(faltering, factory, time, new RunHostOptions(), TimeSpan.Zero, default);
        Assert.Equal("run 'a' is being opened again and again: The disk is away.", owned.NotReady);
        Assert.Equal(HostOutcome.Unavailable, (await owned.Find("a")!.JoinAsync("c", 1)).Outcome);
        await WorkAsync(owned.Find("b")!, "c", 1);
        faltering.LoadFailure = null;
        while (owned.Find("a")!.View.Host == HostState.Opening)
        {
            time.Advance(40); // Again and again: it may only be about to wait.
            await Task.Yield();
        }

        Assert.Equal("", owned.NotReady);
        Assert.Equal(HostOutcome.Done, (await owned.Find("a")!.JoinAsync("c", 1)).Outcome);
    }

    private async Task<(RunRegistry Registry, FalteringStore Store)> OpenMortalAsync()
    {
        var store = new FalteringStore(await OpenStoreAsync());
        return (await RunRegistry.OpenAsync(store, factory, time, new RunHostOptions(), TimeSpan.Zero, default), store);
    }

    /// <summary>Ends it without saving anything, as a crash does, and damages a log.</summary>
    private async Task CrashAsync(RunRegistry registry, FalteringStore store, string log)
    {
        store.BeforeSnapshot = () => throw new StorageException("It has crashed.");
        await registry.DisposeAsync();
        await DamageAsync(log);
        await store.DisposeAsync();
    }
}

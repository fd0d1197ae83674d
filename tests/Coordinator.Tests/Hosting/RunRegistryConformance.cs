using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Shuffling;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

/// <summary>What a registry promises over any store.</summary>
public abstract partial class RunRegistryConformance
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private readonly ManualTime time = new();
    private readonly TestFactory factory = new();

    /// <summary>The store as another process would find it.</summary>
    protected abstract ValueTask<IStore> OpenStoreAsync();

    private async Task<(RunRegistry Registry, IStore Store)> OpenAsync()
    {
        var store = await OpenStoreAsync();
        return (await RunRegistry.OpenAsync(store, factory, time, new RunHostOptions(), TimeSpan.Zero, default), store);
    }

    private static async Task<Assignment> WorkAsync(RunHost host, string member, int updates)
    {
        var (_, client, _) = await host.JoinAsync(member, 10);
        var lease = Assert.IsType<Granted>(await host.CheckInAsync(client, Long, default)).Assignment;
        for (var i = 0; i < updates; i++)
        {
            var taken = Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(lease, ready: true), default));
            lease = Assert.IsType<Granted>(taken.Next).Assignment;
        }

        return lease;
    }

    /// <summary>One update after the other, each in a release of its own.</summary>
    private static async Task ContributeAsync(RunHost host, string member, int updates)
    {
        var (_, client, _) = await host.JoinAsync(member, 10);
        for (var i = 0; i < updates; i++)
        {
            var lease = Assert.IsType<Granted>(await host.CheckInAsync(client, Long, default)).Assignment;
            Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(lease), default));
        }

        Assert.Equal(updates, host.View.Version);
    }

    [ConformanceFact]
    public async Task RunsGoOnWhereTheyStoodWhenTheProcessStopped()
    {
        var (registry, store) = await OpenAsync();
        var lease = await WorkAsync(await registry.CreateAsync("a", TestFactory.Buffered(1, 1), default), "ward-7", 3);
        await registry.CreateAsync("b", TestFactory.Synchronous(2), default);
        await registry.DisposeAsync();
        await store.DisposeAsync();
        (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        Assert.Equal(["a", "b"], registry.Runs.Select(r => r.Entry.Id).Order());
        var host = registry.Find("a")!;
        Assert.Equal((3, 3L), (host.View.Version, host.View.Counters.Accepted));
        Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(lease), default));
        await using var model = await registry.Blobs.OpenAsync(host.View.Versions[4].Model, default);
        Assert.Equal(host.View.Versions[4].Model.Length, model.Length);
    }

    [ConformanceFact]
    public async Task AClientWhoseBatchWasDroppedIsToldSoAfterACrashToo()
    {
        var shuffled = new TestFactory
        {
            Shuffle = new ShuffleTerms { Shufflers = ["s1"], Minimum = 2, Target = 2, WindowSeconds = 1, ReportBytes = 10, Protection = new("shuffle", 1, "privunitg", 1), IsByVersion = false },
        };
        var store = await OpenStoreAsync();
        var registry = await RunRegistry.OpenAsync(store, shuffled, time, new RunHostOptions(), TimeSpan.Zero, default);
        var host = await registry.CreateAsync("a", TestFactory.Buffered(2, 5), default);
        var dropped = await WorkAsync(host, "c", 0);
        var taken = await WorkAsync(host, "d", 0);
        var watching = host.WatchAsync(dropped.Id, dropped.Client, Long, default);
        await host.FailAsync(dropped.Id, dropped.Client, "the shuffler's batch was dropped");
        Assert.Equal(AssignmentStanding.Dropped, (await watching).State.Standing);
        Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(taken), default));
        for (var opening = 0; opening < 2; opening++)
        {
            Assert.Equal(AssignmentStanding.Dropped, (await host.WatchAsync(dropped.Id, dropped.Client, TimeSpan.Zero, default)).State.Standing);
            Assert.Equal(AssignmentStanding.Unknown, (await host.WatchAsync(dropped.Id, taken.Client, TimeSpan.Zero, default)).State.Standing);
            Assert.Equal(AssignmentStanding.Ended, (await host.WatchAsync(taken.Id, taken.Client, TimeSpan.Zero, default)).State.Standing);
            if (opening == 0)
            {
                await registry.DisposeAsync();
                await store.DisposeAsync();
                store = await OpenStoreAsync();
                registry = await RunRegistry.OpenAsync(store, shuffled, time, new RunHostOptions(), TimeSpan.Zero, default);
                host = registry.Find("a")!;
            }
        }

        await registry.DisposeAsync();
        await store.DisposeAsync();
    }

    [ConformanceFact]
    public async Task WhatCannotBeARunIsRefusedAndNothingIsWritten()
    {
        var (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        await registry.CreateAsync("taken", TestFactory.Synchronous(2), default);
        foreach (var (id, configuration) in ((string, ReadOnlyMemory<byte>)[])[
            ("taken", TestFactory.Synchronous(2)), ("../up", TestFactory.Synchronous(2)), ("", TestFactory.Synchronous(2)), ("new", "nonsense"u8.ToArray())])
        {
            await Assert.ThrowsAsync<CoordinatorException>(() => registry.CreateAsync(id, configuration, default));
        }

        Assert.Equal(["taken"], await store.Documents.ListAsync("runs", default));
    }

    [ConformanceFact]
    public async Task AHostOfADeletedRunThatOpensItsLogAgainDoesNotTakeThatOfTheNextRunOfItsName()
    {
        await using var faltering = new FalteringStore(await OpenStoreAsync());
        await using var first = await RunRegistry.OpenAsync(faltering, factory, time, new RunHostOptions(), TimeSpan.Zero, default);
        var ghost = await first.CreateAsync("run", TestFactory.Buffered(2, 1), default);
        Assert.Equal(HostOutcome.Done, (await ghost.JoinAsync("old", 1)).Outcome);
        var (second, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = second;
        Assert.True(await second.DeleteAsync("run", default));
        time.Advance(1);
        var next = await second.CreateAsync("run", TestFactory.Buffered(2, 1), default);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HostOutcome.Done, (await next.JoinAsync($"new-{i}", 1)).Outcome);
        }

        faltering.Failure = new StorageException("The store failed.");
        Assert.Equal(HostOutcome.Unavailable, (await ghost.JoinAsync("late", 1)).Outcome);
        while (ghost.View.Host == HostState.Opening)
        {
            await Task.Yield();
        }

        Assert.Equal(HostState.Fenced, ghost.View.Host);
        Assert.Contains("was deleted by another process", ghost.View.Problem, StringComparison.Ordinal);
        Assert.Equal(HostOutcome.Closed, (await ghost.JoinAsync("later", 1)).Outcome);
        Assert.Equal((HostOutcome.Done, new ClientId(3)), await JoinAsync(next, "new-3"));
        Assert.Equal(0, await NextOfAsync(store, ghost.Entry.Log)); // It left nothing behind.

        static async Task<(HostOutcome, ClientId)> JoinAsync(RunHost host, string member)
        {
            var (outcome, client, _) = await host.JoinAsync(member, 1);
            return (outcome, client);
        }
    }

    [ConformanceFact]
    public async Task RunsOfACatalogThatNamesNoLogsAreFoundUnderTheirIds()
    {
        var (registry, store) = await OpenAsync();
        await registry.DisposeAsync();
        var configuration = Convert.ToBase64String(TestFactory.Buffered(2, 1).Span);
        await store.Documents.WriteAsync(
            "runs/old", System.Text.Encoding.UTF8.GetBytes($$"""{"form":1,"createdAt":"2026-01-01T00:00:00+00:00","configuration":"{{configuration}}","originVersion":0,"isDeleted":false}"""), default);
        await store.DisposeAsync();
        (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        Assert.Equal(HostOutcome.Done, (await registry.Find("old")!.JoinAsync("a", 1)).Outcome);
        await registry.DisposeAsync();
        Assert.True(await NextOfAsync(store, "old") > 0);
    }

    private static async Task<long> NextOfAsync(IStore store, string name)
    {
        await using var log = store.OpenLog(name);
        await log.LoadAsync(default);
        return log.NextSequence;
    }
}

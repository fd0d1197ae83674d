using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Shuffling;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Federated.Privacy.Accounting;
using Federated.Privacy.Statements;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

/// <summary>What a registry promises over any store.</summary>
public abstract class RunRegistryConformance
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
    public async Task ABranchStartsFromTheVersionItWasTakenFrom()
    {
        var (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        var source = await registry.CreateAsync("source", TestFactory.Buffered(1, 1), default);
        await WorkAsync(source, "c", 3);
        var branch = await registry.BranchAsync("branch", "source", 2, TestFactory.Synchronous(2), default);
        Assert.Equal(source.View.Versions[2].Model, branch.View.Versions[0].Model);
        Assert.Equal(
            new RunOrigin("source", 2, source.View.Versions[2].Model, new PrivacyInheritance("source", 2, InheritanceBasis.Unbounded)), branch.Entry.Origin);
        var error = await Assert.ThrowsAsync<CoordinatorException>(() => registry.BranchAsync("other", "source", 77, null, default));
        Assert.Contains("does not hold version 77", error.Message, StringComparison.Ordinal);
    }

    [ConformanceFact]
    public async Task ABranchInheritsWhatItsVersionHadCostAndABranchOfItBoth()
    {
        static double Cost(int times) => AnalyticGaussian.Epsilon(2 / Math.Sqrt(times), 1e-6);
        var (registry, store) = await OpenAsync();
        var source = await registry.CreateAsync("source", TestFactory.Configuration("private 1 1 5 10"), default);
        await ContributeAsync(source, "c", 3);

        // As of the version, not as of now; and of the first version nothing.
        var branch = await registry.BranchAsync("branch", "source", 2, TestFactory.Configuration("private 1 1 2 10"), default);
        var inherited = branch.Entry.Origin!.Inherited;
        Assert.Equal(("source", 2, InheritanceBasis.AtVersion), (inherited.Run, inherited.Version, inherited.Basis));
        Assert.Equal((Cost(2), 1e-6), (inherited.Guarantee!.Epsilon, inherited.Guarantee.Delta));
        Assert.All(inherited.Guarantee.Assumptions, a => Assert.StartsWith("In run 'source': ", a, StringComparison.Ordinal));
        var first = await registry.BranchAsync("first", "source", 0, null, default);
        Assert.Equal(new PrivacyInheritance("source", 0, InheritanceBasis.Nothing), first.Entry.Origin!.Inherited);

        // What a branch's first version cost is what the branch inherited.
        await ContributeAsync(branch, "c", 1);
        var child = await registry.BranchAsync("child", "branch", 1, null, default);
        Assert.Equal(Cost(2) + Cost(1), child.Entry.Origin!.Inherited.Guarantee!.Epsilon, 1e-12);
        Assert.Equal(2e-6, child.Entry.Origin.Inherited.Guarantee.Delta, 1e-15);
        var again = await registry.BranchAsync("again", "branch", 0, null, default);
        Assert.Equal((("branch", 0), Cost(2)), ((again.Entry.Origin!.Inherited.Run, again.Entry.Origin.Inherited.Version), again.Entry.Origin.Inherited.Epsilon));

        // Neither the end of the process nor that of the run that it came from takes anything away.
        Assert.True(await registry.DeleteAsync("source", default));
        await registry.DisposeAsync();
        await store.DisposeAsync();
        (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        Assert.Equal(inherited, registry.Find("branch")!.Entry.Origin!.Inherited, (a, b) => a!.Equals(b));
        Assert.Equal(Cost(2) + Cost(1), registry.Find("child")!.Entry.Origin!.Inherited.Epsilon, 1e-12);
    }

    [ConformanceFact]
    public async Task ABranchWhoseBudgetDoesNotCoverWhatItInheritsIsRefusedAndLeavesNothing()
    {
        var (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        var source = await registry.CreateAsync("source", TestFactory.Configuration("private 1 1 9 10 20"), default);
        await ContributeAsync(source, "c", 4);
        var refused = await Assert.ThrowsAsync<CoordinatorException>(() => registry.BranchAsync("branch", "source", 4, TestFactory.Configuration("private 1 1 4 10 9"), default));
        Assert.Contains("Version 4 of 'source' has cost its clients ε = ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("more than the budget of ε = 9, which covers both", refused.Message, StringComparison.Ordinal);
        Assert.Null(registry.Find("branch"));
        await registry.BranchAsync("branch", "source", 1, TestFactory.Configuration("private 1 1 4 10 9"), default); // An earlier version leaves enough.
        await registry.BranchAsync("more", "source", 4, TestFactory.Configuration("private 1 1 4 10 20"), default); // So does a larger budget.

        // Nothing bounds the cost of a version without a policy, whatever the branch does.
        await WorkAsync(await registry.CreateAsync("plain", TestFactory.Buffered(1, 1), default), "c", 1);
        refused = await Assert.ThrowsAsync<CoordinatorException>(() => registry.BranchAsync("hopeful", "plain", 1, TestFactory.Configuration("private 1 1 1 10 900"), default));
        Assert.Contains("has a cost that nothing bounds", refused.Message, StringComparison.Ordinal);
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
    public async Task ADeletedRunIsGoneWithItsBlobsAndItsNameIsFree()
    {
        var (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        var host = await registry.CreateAsync("a", TestFactory.Buffered(1, 1), default);
        await WorkAsync(host, "c", 2);
        await host.SaveAsync();
        var model = host.View.Versions[2].Model;
        Assert.True(await store.Blobs.ContainsAsync(model, default));
        Assert.Equal(0, await registry.SweepAsync(default) + await registry.SweepAsync(default) + await registry.SweepAsync(default));
        Assert.True(await registry.DeleteAsync("a", default));
        Assert.False(await registry.DeleteAsync("a", default));
        await registry.SweepAsync(default);
        Assert.True(await registry.SweepAsync(default) > 0);
        Assert.False(await store.Blobs.ContainsAsync(model, default));
        Assert.Equal(0, (await registry.CreateAsync("a", TestFactory.Buffered(1, 1), default)).View.Version);
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
    public async Task UpdatesInBlobsOfTheirOwnAreKeptUntilTheRunIsSaved()
    {
        var (registry, store) = await OpenAsync();
        var host = await registry.CreateAsync("a", TestFactory.Buffered(1, 1), default);
        var lease = await WorkAsync(host, "c", 1); // After one, no version has the same bytes as an update.
        var submission = TestFactory.Submission(lease);
        await using (var writer = await store.Blobs.CreateAsync(default))
        {
            await writer.WriteAsync(submission.Inline[0].Bytes, default);
            await writer.CommitAsync(submission.Report.Delta, default);
            Assert.IsType<UpdateTaken>(await host.SubmitAsync(submission with { Inline = [] }, default));
        }

        await registry.SweepAsync(default);
        await registry.SweepAsync(default);
        Assert.True(await store.Blobs.ContainsAsync(submission.Report.Delta!, default)); // A crash now would read it again.
        await host.SaveAsync();
        await registry.SweepAsync(default);
        await registry.SweepAsync(default);
        Assert.False(await store.Blobs.ContainsAsync(submission.Report.Delta!, default));
        await registry.DisposeAsync();
        await store.DisposeAsync();
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

        faltering.Fails = true;
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

    /// <summary>A store whose next append fails, once told so.</summary>
    private sealed class FalteringStore(IStore store) : IStore
    {
        public bool Fails { get; set; }

        public IBlobStore Blobs => store.Blobs;

        public IDocumentStore Documents => store.Documents;

        public IRunLog OpenLog(string run) => new Log(this, store.OpenLog(run));

        public ValueTask DeleteLogAsync(string run, CancellationToken cancellation) => store.DeleteLogAsync(run, cancellation);

        public ValueTask DisposeAsync() => store.DisposeAsync();

        private sealed class Log(FalteringStore owner, IRunLog log) : IRunLog
        {
            public long NextSequence => log.NextSequence;

            public ValueTask<RunHistory> LoadAsync(CancellationToken cancellation) => log.LoadAsync(cancellation);

            public ValueTask AppendAsync(long expected, IReadOnlyList<ReadOnlyMemory<byte>> records, CancellationToken cancellation)
            {
                if (owner.Fails)
                {
                    owner.Fails = false;
                    throw new StorageException("The store failed.");
                }

                return log.AppendAsync(expected, records, cancellation);
            }

            public ValueTask SaveSnapshotAsync(long sequence, ReadOnlyMemory<byte> snapshot, CancellationToken cancellation) => log.SaveSnapshotAsync(sequence, snapshot, cancellation);

            public ValueTask DisposeAsync() => log.DisposeAsync();
        }
    }
}

public sealed class RunRegistryOnFiles : RunRegistryConformance
{
    private readonly FaultyFileSystem disk = new(1);

    protected override ValueTask<IStore> OpenStoreAsync() => ValueTask.FromResult<IStore>(new FileStore(disk));
}

[Collection(PostgresTests.Name), NeedsPostgres]
public sealed class RunRegistryOnPostgres(PostgresServer server) : RunRegistryConformance
{
    private string? database;

    protected override async ValueTask<IStore> OpenStoreAsync() =>
        await Federated.Coordinator.Storage.Postgres.PostgresStore.OpenAsync(database ??= await server.NewDatabaseAsync(), default);
}

/// <summary>Two processes that both believe a run is theirs, as after a network partition.</summary>
[Collection(PostgresTests.Name)]
public sealed class RunHostFencing(PostgresServer server)
{
    [PostgresFact]
    public async Task TheHostThatOpenedTheRunLastOwnsItAndTheOtherStops()
    {
        var time = new ManualTime();
        var database = await server.NewDatabaseAsync();
        var entry = new RunEntry("run", time.GetUtcNow(), TestFactory.Buffered(2, 1), null);
        await using var firstStore = await Federated.Coordinator.Storage.Postgres.PostgresStore.OpenAsync(database, default);
        await using var secondStore = await Federated.Coordinator.Storage.Postgres.PostgresStore.OpenAsync(database, default);
        await using var first = await RunHost.OpenAsync(entry, new TestFactory(), firstStore, new MemoryBlobs(), time, new RunHostOptions(), default);
        Assert.Equal(HostOutcome.Done, (await first.JoinAsync("a", 1)).Outcome);
        await using var second = await RunHost.OpenAsync(entry, new TestFactory(), secondStore, new MemoryBlobs(), time, new RunHostOptions(), default);
        Assert.Equal(new ClientId(0), second.Find("a"));
        Assert.Equal(HostOutcome.Closed, (await first.JoinAsync("b", 1)).Outcome);
        Assert.Equal(HostState.Fenced, first.View.Host);
        Assert.Equal(new ClientId(1), (await second.JoinAsync("c", 1)).Client);
    }
}

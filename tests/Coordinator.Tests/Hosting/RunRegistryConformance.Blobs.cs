using Federated.Coordinator.Hosting;
using Federated.Coordinator.Tests.Storage;

namespace Federated.Coordinator.Tests.Hosting;

/// <content>What a sweep may delete: nothing that the run would need again, wherever it was interrupted.</content>
public abstract partial class RunRegistryConformance
{
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

    /// <summary>Another process that opens the store sees what a crash of the first would leave: nothing is saved on the way.</summary>
    [ConformanceFact]
    public async Task WhatTheSnapshotNamesIsKeptHoweverFarTheRunHasComeSince()
    {
        var (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        var host = await registry.CreateAsync("a", TestFactory.Buffered(1, 1), default);
        await WorkAsync(host, "c", 2);
        await host.SaveAsync();
        var saved = host.View.Versions[2].Model;
        await WorkAsync(host, "c", 8);
        Assert.DoesNotContain(2, host.View.Versions.Keys); // Nobody can download it any more.
        await SweepThriceAsync(registry);
        Assert.True(await store.Blobs.ContainsAsync(saved, default));
        await AssertOpensAsync("a", host);
    }

    [ConformanceFact]
    public async Task WhatABranchStartedFromIsKeptWhenItsSourceIsGoneAndItsFirstVersionForgotten()
    {
        var (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        await WorkAsync(await registry.CreateAsync("source", TestFactory.Buffered(1, 1), default), "c", 3);
        var branch = await registry.BranchAsync("branch", "source", 2, null, default);
        await WorkAsync(branch, "c", 8);
        Assert.DoesNotContain(0, branch.View.Versions.Keys);
        Assert.True(await registry.DeleteAsync("source", default));
        await SweepThriceAsync(registry);
        Assert.True(await store.Blobs.ContainsAsync(branch.Entry.Origin!.Model, default));
        await AssertOpensAsync("branch", branch);
    }

    private static async Task SweepThriceAsync(RunRegistry registry)
    {
        for (var sweep = 0; sweep < 3; sweep++)
        {
            await registry.SweepAsync(default);
        }
    }

    private async Task AssertOpensAsync(string run, RunHost before)
    {
        var (registry, store) = await OpenAsync();
        await using var ownedStore = store;
        await using var owned = registry;
        var after = registry.Find(run)!;
        Assert.Equal((HostState.Open, ""), (after.View.Host, after.View.Problem));
        Assert.Equal((before.View.Version, before.View.Versions[before.View.Version]), (after.View.Version, after.View.Versions[after.View.Version]), VersionComparer);
    }

    private static IEqualityComparer<(int Version, VersionBlobs Blobs)> VersionComparer { get; } =
        EqualityComparer<(int Version, VersionBlobs Blobs)>.Create((a, b) => a.Version == b.Version && a.Blobs.All.SequenceEqual(b.Blobs.All));
}

using System.Text;
using Federated.Coordinator.Storage;

namespace Federated.Coordinator.Tests.Storage;

/// <summary>What every run log promises, whatever it is kept in.</summary>
public abstract class RunLogConformance
{
    /// <summary>Opens the log of a run; the second time for the same name, what the first left.</summary>
    protected abstract ValueTask<IRunLog> OpenAsync(string run);

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private async Task<(IRunLog Log, RunHistory History)> Loaded(string run)
    {
        var log = await OpenAsync(run);
        return (log, await log.LoadAsync(default));
    }

    [ConformanceFact]
    public async Task ANewLogIsEmpty()
    {
        var (log, history) = await Loaded("new");
        await using var owned = log;
        Assert.Null(history.Snapshot);
        Assert.Empty(history.Records);
        Assert.Equal(0, log.NextSequence);
    }

    [ConformanceFact]
    public async Task WhatWasAppendedIsThereAfterReopening()
    {
        var (log, _) = await Loaded("append");
        await log.AppendAsync(0, [Bytes("a"), Bytes(""), Bytes("c")], default);
        await log.AppendAsync(3, [Bytes("d")], default);
        await log.DisposeAsync();
        var (again, history) = await Loaded("append");
        await using var owned = again;
        Assert.Equal(["a", "", "c", "d"], history.Records.Select(Text));
        Assert.Equal(4, again.NextSequence);
    }

    [ConformanceFact]
    public async Task AnAppendThatExpectsAnotherSequenceIsFenced()
    {
        var (log, _) = await Loaded("fence");
        await using var owned = log;
        await log.AppendAsync(0, [Bytes("a")], default);
        await Assert.ThrowsAsync<FencedException>(async () => await log.AppendAsync(0, [Bytes("fork")], default));
        await log.AppendAsync(1, [Bytes("b")], default);
    }

    [ConformanceFact]
    public async Task AHostWhoseRunAnotherHasTakenOverIsFencedAtItsNextAppendAndAtItsNextSnapshot()
    {
        var (first, _) = await Loaded("taken");
        await using var owned = first;
        await first.AppendAsync(0, [Bytes("a")], default);
        var (second, history) = await Loaded("taken");
        await using var alsoOwned = second;
        Assert.Equal("a", Text(Assert.Single(history.Records)));
        await second.AppendAsync(1, [Bytes("b")], default);
        await Assert.ThrowsAsync<FencedException>(async () => await first.AppendAsync(1, [Bytes("fork")], default));
        var (third, later) = await Loaded("taken");
        await using var ownedToo = third;
        Assert.Equal(["a", "b"], later.Records.Select(Text));
        await third.SaveSnapshotAsync(2, Bytes("state after b"), default);
        await third.AppendAsync(2, [Bytes("c")], default);
        await Assert.ThrowsAsync<FencedException>(async () => await second.SaveSnapshotAsync(2, Bytes("fork"), default));
        var (last, final) = await Loaded("taken");
        await using var ownedAtLast = last;
        Assert.Equal("state after b", Text(final.Snapshot!.Value));
        Assert.Equal("c", Text(Assert.Single(final.Records)));
    }

    [ConformanceFact]
    public async Task ALongHistoryOfLargeRecordsIsReadBackWhole()
    {
        var (log, _) = await Loaded("long");
        for (var i = 0; i < 20; i++)
        {
            var at = i * 50;
            await log.AppendAsync(at, [.. Enumerable.Range(at, 50).Select(n => (ReadOnlyMemory<byte>)Enumerable.Repeat((byte)n, n).ToArray())], default);
        }

        await log.DisposeAsync();
        var (again, history) = await Loaded("long");
        await using var owned = again;
        Assert.Equal(1000, history.Records.Count);
        Assert.All(history.Records.Index(), r => Assert.True(r.Item.Length == r.Index && r.Item.Span.IndexOfAnyExcept((byte)r.Index) < 0));
    }

    [ConformanceFact]
    public async Task ASnapshotReplacesTheRecordsBeforeIt()
    {
        var (log, _) = await Loaded("snapshot");
        await log.AppendAsync(0, [Bytes("a"), Bytes("b")], default);
        await log.SaveSnapshotAsync(2, Bytes("state after b"), default);
        await log.AppendAsync(2, [Bytes("c")], default);
        await log.DisposeAsync();
        var (again, history) = await Loaded("snapshot");
        Assert.Equal("state after b", Text(history.Snapshot!.Value));
        Assert.Equal((2L, "c"), (history.SnapshotSequence, Text(Assert.Single(history.Records))));
        await again.SaveSnapshotAsync(3, Bytes("state after c"), default);
        await again.DisposeAsync();
        (again, history) = await Loaded("snapshot");
        await using var owned = again;
        Assert.Equal("state after c", Text(history.Snapshot!.Value));
        Assert.Empty(history.Records);
        Assert.Equal(3, again.NextSequence);
    }

    [ConformanceFact]
    public async Task RunsDoNotSeeEachOther()
    {
        var (one, _) = await Loaded("one");
        await one.AppendAsync(0, [Bytes("a")], default);
        await one.DisposeAsync();
        var (other, history) = await Loaded("other");
        await using var owned = other;
        Assert.Empty(history.Records);
    }

    [ConformanceFact]
    public async Task WritingBeforeLoadingIsADefect()
    {
        await using var log = await OpenAsync("unloaded");
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await log.AppendAsync(0, [Bytes("a")], default));
    }
}

using Federated.Coordinator.Orleans.Shuffling;
using Federated.Coordinator.Storage;

namespace Federated.Coordinator.Orleans.Tests.Shuffling;

/// <summary>A shuffler's files in a log: what was synced is found by the next owner, what was not is not, and the last owner is out.</summary>
public sealed class LogDiskTests
{
    private readonly SharedStore store = new();

    [Fact]
    public async Task What_was_synced_is_found_by_the_next_owner_and_what_was_not_is_not()
    {
        var disk = await OpenAsync();
        using (var file = disk.OpenAppend("batches/a.log"))
        {
            file.Append([1, 2, 3]);
            file.Append([4]);
            file.Sync();
            file.Append([5, 6]);
            Assert.Equal(6, file.Length);
            Assert.Equal([1, 2, 3, 4, 5, 6], Read(disk, "batches/a.log"));
        }

        var next = await OpenAsync();
        Assert.Equal([1, 2, 3, 4], Read(next, "batches/a.log"));
        Assert.Equal(["a.log"], next.List("batches"));
        Assert.Empty(next.List("batch"));
        Assert.False(next.Exists("batches/b.log"));
    }

    [Fact]
    public async Task Cuts_and_other_names_are_kept_and_a_reader_keeps_what_it_has_opened()
    {
        var disk = await OpenAsync();
        Write(disk, "used/tickets.log", [1, 2, 3]);
        Write(disk, "used/tickets.new", [7, 8]);
        using var reader = disk.OpenRead("used/tickets.log");
        disk.Truncate("used/tickets.log", 1);
        Assert.Equal([1], Read(disk, "used/tickets.log"));
        disk.Rename("used/tickets.new", "used/tickets.log");
        disk.SyncFolder("used");
        Write(disk, "used/tickets.log", [9]);
        var next = await OpenAsync();
        Assert.Equal([7, 8, 9], Read(next, "used/tickets.log"));
        Assert.Equal(["tickets.log"], next.List("used"));
        Assert.Equal([1, 2, 3], Read(reader));
    }

    [Fact]
    public async Task What_was_deleted_stands_nowhere_in_the_log_any_more()
    {
        var disk = await OpenAsync();
        byte[] report = [11, 22, 33, 44, 55];
        Write(disk, "batches/a.log", report);
        Write(disk, "batches/b.log", [1]);
        Assert.True(await HasAsync(report));
        disk.Delete("batches/a.log");
        disk.SyncFolder("batches");
        Assert.False(await HasAsync(report));
        Assert.Equal(["b.log"], (await OpenAsync()).List("batches"));
    }

    [Fact]
    public async Task An_owner_that_another_one_followed_writes_nothing_more()
    {
        var first = await OpenAsync();
        Write(first, "batches/a.log", [1]);
        var second = await OpenAsync();
        Write(second, "batches/a.log", [2]);
        using var file = first.OpenAppend("batches/a.log");
        file.Append([3]);
        Assert.Throws<IOException>(file.Sync);
        Assert.True(first.IsFenced);
        Assert.Throws<IOException>(() => first.List("batches"));
        Assert.Equal([1, 2], Read(await OpenAsync(), "batches/a.log"));
    }

    [Fact]
    public async Task When_the_store_fails_the_log_is_read_again_and_files_that_were_open_are_not_written_any_more()
    {
        var log = new FailingLog(store.OpenLog("shuffler.s1"));
        var disk = await LogDisk.OpenAsync(log, default);
        Write(disk, "batches/a.log", [1]);
        var file = disk.OpenAppend("batches/a.log");
        file.Append([2]);
        log.Fails = true;
        Assert.Throws<IOException>(file.Sync);
        Assert.Throws<IOException>(() => disk.Exists("batches/a.log"));
        log.Fails = false;
        Assert.Equal([1], Read(disk, "batches/a.log"));
        Assert.Throws<IOException>(() => file.Append([3]));
        Write(disk, "batches/a.log", [4]);
        Assert.Equal([1, 4], Read(await OpenAsync(), "batches/a.log"));
        Assert.False(disk.IsFenced);
    }

    private Task<LogDisk> OpenAsync() => LogDisk.OpenAsync(store.OpenLog("shuffler.s1"), default);

    private static void Write(LogDisk disk, string path, byte[] bytes)
    {
        using var file = disk.OpenAppend(path);
        file.Append(bytes);
        file.Sync();
    }

    private static byte[] Read(LogDisk disk, string path)
    {
        using var stream = disk.OpenRead(path);
        return Read(stream);
    }

    private static byte[] Read(Stream stream)
    {
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private async Task<bool> HasAsync(byte[] bytes)
    {
        var history = await store.OpenLog("shuffler.s1").LoadAsync(default);
        return history.Records.Append(history.Snapshot ?? default).Any(record => record.Span.IndexOf(bytes) >= 0);
    }

    private sealed class FailingLog(IRunLog log) : IRunLog
    {
        public bool Fails { get; set; }

        public long NextSequence => log.NextSequence;

        public ValueTask<RunHistory> LoadAsync(CancellationToken cancellation) => Fails ? throw new StorageException("The database is down.") : log.LoadAsync(cancellation);

        public ValueTask AppendAsync(long expected, IReadOnlyList<ReadOnlyMemory<byte>> records, CancellationToken cancellation) =>
            Fails ? throw new StorageException("The database is down.") : log.AppendAsync(expected, records, cancellation);

        public ValueTask SaveSnapshotAsync(long sequence, ReadOnlyMemory<byte> snapshot, CancellationToken cancellation) => log.SaveSnapshotAsync(sequence, snapshot, cancellation);

        public ValueTask DisposeAsync() => log.DisposeAsync();
    }
}

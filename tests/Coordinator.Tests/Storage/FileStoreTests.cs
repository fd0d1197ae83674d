using System.Text;
using Federated.Aggregation.Randomness;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Storage;

public sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("federated-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

public sealed class FileRunLogOnDisk : RunLogConformance, IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    protected override ValueTask<IRunLog> OpenAsync(string run) =>
        ValueTask.FromResult<IRunLog>(new FileRunLog(new PhysicalFileSystem(folder.Path), $"runs/{run}"));
}

public sealed class FileRunLogInMemory : RunLogConformance
{
    private readonly FaultyFileSystem disk = new(1);

    protected override ValueTask<IRunLog> OpenAsync(string run) => ValueTask.FromResult<IRunLog>(new FileRunLog(disk, run));
}

/// <summary>A file of this machine becomes a blob by its name alone, where the store has files of its own.</summary>
public sealed class TakingFilesOver
{
    private static readonly byte[] Bytes = [1, 2, 3];

    private static BlobReference Blob { get; } = new(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Bytes)), Bytes.Length);

    [Fact]
    public async Task TheFileIsTheBlobAndHeldUntilItIsLetGo()
    {
        using var folder = new TemporaryFolder();
        var store = new FileBlobStore(new PhysicalFileSystem(folder.Path), "blobs");
        var file = Path.Combine(folder.Path, "part");
        await File.WriteAllBytesAsync(file, Bytes);
        var hold = await store.TryTakeOverAsync(file, Blob, default);
        Assert.NotNull(hold);
        Assert.False(File.Exists(file));
        await store.SweepAsync(() => ValueTask.FromResult<IReadOnlySet<string>>(new HashSet<string>()), default);
        await store.SweepAsync(() => ValueTask.FromResult<IReadOnlySet<string>>(new HashSet<string>()), default);
        await using (var stream = await store.OpenAsync(Blob, default))
        {
            Assert.Equal(Bytes, Enumerable.Range(0, 3).Select(_ => (byte)stream.ReadByte()));
        }

        await hold.DisposeAsync();
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(folder.Path, "blobs", "incoming")));
    }

    [Fact]
    public async Task AStoreThatCannotLeavesItWhereItIs()
    {
        using var folder = new TemporaryFolder();
        var store = new FileBlobStore(new FaultyFileSystem(1), "blobs");
        var file = Path.Combine(folder.Path, "part");
        await File.WriteAllBytesAsync(file, Bytes);
        Assert.Null(await store.TryTakeOverAsync(file, Blob, default));
        Assert.True(File.Exists(file));
        Assert.False(await store.ContainsAsync(Blob, default));
    }
}

public sealed class FileBlobStoreOnDisk : BlobStoreConformance, IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    protected override ValueTask<IBlobStore> OpenAsync() =>
        ValueTask.FromResult<IBlobStore>(new FileBlobStore(new PhysicalFileSystem(folder.Path), "blobs"));
}

public sealed class FileDocumentStoreOnDisk : DocumentStoreConformance, IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    protected override ValueTask<IDocumentStore> OpenAsync() =>
        ValueTask.FromResult<IDocumentStore>(new FileDocumentStore(new PhysicalFileSystem(folder.Path), "documents"));
}

public sealed class FileStoreOnDisk : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task ADataFolderHasOneOwnerAtATime()
    {
        await using (FileStore.Open(folder.Path))
        {
            var error = Assert.Throws<StorageException>(() => FileStore.Open(folder.Path));
            Assert.Contains("in use by another process", error.Message, StringComparison.Ordinal);
        }

        await using var again = FileStore.Open(folder.Path);
    }
}

/// <summary>Crashes at every operation of a document's replacement.</summary>
public sealed class FileDocumentStoreUnderCrashes
{
    [Fact]
    public async Task ADocumentIsTheOldOrTheNewOneAndNeverLessThanWasAcknowledged()
    {
        for (var crashAt = 0L; crashAt < 200; crashAt++)
        {
            var disk = new FaultyFileSystem(SeededRandom.DeriveSeed(1, "documents", crashAt)) { CrashIn = crashAt % 50 };
            var (acknowledged, attempted) = (-1, -1);
            for (var lives = 0; lives < 3; lives++)
            {
                try
                {
                    var store = new FileDocumentStore(disk, "documents");
                    var found = await store.ReadAsync("runs/a", default) is { } bytes ? BitConverter.ToInt32(bytes) : -1;
                    Assert.InRange(found, acknowledged, attempted);
                    acknowledged = found;
                    for (var i = found + 1; i < found + 8; i++)
                    {
                        attempted = i;
                        await store.WriteAsync("runs/a", BitConverter.GetBytes(i), default);
                        acknowledged = i;
                    }
                }
                catch (CrashException)
                {
                    disk.Restart();
                    disk.CrashIn = (crashAt * 7) % 41;
                }
            }
        }
    }
}

/// <summary>Crashes at every possible operation, with lost, torn and garbled writes.</summary>
public sealed class FileRunLogUnderCrashes
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task WhatWasAcknowledgedSurvivesACrashAtAnyOperation(ulong seed)
    {
        var schedules = 0;
        for (var crashAt = 0L; crashAt < 400; crashAt++)
        {
            var random = SeededRandom.Derive(seed, "schedule", crashAt);
            var disk = new FaultyFileSystem(SeededRandom.DeriveSeed(seed, "disk", crashAt)) { CrashIn = crashAt % 97 };
            var acknowledged = new List<string>();
            var attempted = new List<string>();
            for (var lives = 0; lives < 4; lives++)
            {
                try
                {
                    await Live(disk, random, acknowledged, attempted);
                }
                catch (Exception e) when (e is CrashException || e.InnerException is CrashException)
                {
                    disk.Restart();
                    disk.CrashIn = 3 + random.NextInt(90);
                }
            }

            disk.Restart();
            var log = new FileRunLog(disk, "run");
            AssertHolds(acknowledged, attempted, await log.LoadAsync(default));
            schedules++;
        }

        Assert.Equal(400, schedules);
    }

    /// <summary>Opens the log, checks what is in it, and appends and snapshots until the machine crashes or it has had enough.</summary>
    private static async Task Live(FaultyFileSystem disk, SeededRandom random, List<string> acknowledged, List<string> attempted)
    {
        await using var log = new FileRunLog(disk, "run");
        var history = await log.LoadAsync(default);
        var entries = AssertHolds(acknowledged, attempted, history);
        for (var step = 0; step < 30; step++)
        {
            if (random.NextInt(4) == 0)
            {
                await log.SaveSnapshotAsync(log.NextSequence, Encoding.UTF8.GetBytes(string.Join(',', entries)), default);
            }
            else
            {
                var group = Enumerable.Range(0, 1 + random.NextInt(3)).Select(i => $"{entries.Count + i}:{random.NextInt(1000)}").ToList();
                attempted.Clear();
                attempted.AddRange([.. entries, .. group]);
                await log.AppendAsync(log.NextSequence, [.. group.Select(g => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(g))], default);
                entries.AddRange(group);
                acknowledged.Clear();
                acknowledged.AddRange(entries);
            }
        }
    }

    /// <summary>The log holds all that was acknowledged, and beyond that at most a beginning of what was being written.</summary>
    private static List<string> AssertHolds(List<string> acknowledged, List<string> attempted, RunHistory history)
    {
        var entries = history.Snapshot is { Length: > 0 } snapshot ? Encoding.UTF8.GetString(snapshot.Span).Split(',').ToList() : [];
        Assert.Equal(history.SnapshotSequence, entries.Count);
        entries.AddRange(history.Records.Select(r => Encoding.UTF8.GetString(r.Span)));
        Assert.True(entries.Count >= acknowledged.Count, $"{acknowledged.Count} records were acknowledged, {entries.Count} are there.");
        Assert.Equal(acknowledged, entries[..acknowledged.Count]);
        Assert.Equal(attempted.Take(entries.Count), entries);
        acknowledged.Clear();
        acknowledged.AddRange(entries); // What a reader has seen must stay.
        return entries;
    }

    [Fact]
    public async Task AFullDiskRefusesTheAppendAndKeepsEverythingAcknowledged()
    {
        var disk = new FaultyFileSystem(5) { Capacity = 300 };
        var acknowledged = 0;
        var log = new FileRunLog(disk, "run");
        await log.LoadAsync(default);
        var error = await Assert.ThrowsAsync<StorageException>(async () =>
        {
            for (; ; acknowledged++)
            {
                await log.AppendAsync(acknowledged, [new byte[20]], default);
            }
        });
        Assert.Contains("No space left", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StorageException>(async () => await log.AppendAsync(acknowledged, [new byte[1]], default));
        disk.Capacity = long.MaxValue;
        var again = new FileRunLog(disk, "run");
        Assert.Equal(acknowledged, (await again.LoadAsync(default)).Records.Count);
        await again.AppendAsync(acknowledged, [new byte[20]], default);
    }

    [Fact]
    public async Task DamageInTheMiddleIsRefusedAndNotSilentlyCutOff()
    {
        using var folder = new TemporaryFolder();
        await using (var log = new FileRunLog(new PhysicalFileSystem(folder.Path), "run"))
        {
            await log.LoadAsync(default);
            await log.AppendAsync(0, [new byte[40], new byte[40], new byte[40]], default);
        }

        var file = Directory.GetFiles(System.IO.Path.Combine(folder.Path, "run")).Single();
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[8 + 16 + 5] ^= 1; // In the payload of the first record.
        await File.WriteAllBytesAsync(file, bytes);
        var damaged = new FileRunLog(new PhysicalFileSystem(folder.Path), "run");
        var error = await Assert.ThrowsAsync<DamagedException>(async () => await damaged.LoadAsync(default));
        Assert.Contains("damaged at byte 8", error.Message, StringComparison.Ordinal);
    }
}

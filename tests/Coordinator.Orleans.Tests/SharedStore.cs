using System.Collections.Concurrent;
using System.Security.Cryptography;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Orleans.Tests;

/// <summary>A store in memory that outlives silos and that several of them share, as a database does: appends are fenced by the sequence they expect.</summary>
internal sealed class SharedStore : IStore, IDocumentStore, IBlobStore
{
    private readonly ConcurrentDictionary<string, byte[]> blobs = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, byte[]> documents = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Log> logs = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> reads = new(StringComparer.Ordinal);

    /// <summary>Appends that were refused because another host had appended.</summary>
    public int Fenced;

    /// <summary>How often a blob was opened.</summary>
    public int Reads(BlobReference blob) => reads.GetValueOrDefault(blob.Sha256);

    public bool IsRemote => true;

    public IBlobStore Blobs => this;

    public IDocumentStore Documents => this;

    public IRunLog OpenLog(string run) => new LogHandle(this, logs.GetOrAdd(run, _ => new Log()));

    public ValueTask DeleteLogAsync(string run, CancellationToken cancellation)
    {
        logs.TryRemove(run, out _);
        return ValueTask.CompletedTask;
    }

    public ValueTask<byte[]?> ReadAsync(string name, CancellationToken cancellation) => ValueTask.FromResult(documents.GetValueOrDefault(name));

    public ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
        ValueTask.FromResult(documents.TryAdd(name, content.ToArray()));

    public ValueTask WriteAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        documents[name] = content.ToArray();
        return ValueTask.CompletedTask;
    }

    public ValueTask DeleteAsync(string name, CancellationToken cancellation)
    {
        documents.TryRemove(name, out _);
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<string>> ListAsync(string folder, CancellationToken cancellation) => ValueTask.FromResult<IReadOnlyList<string>>(
        [.. documents.Keys.Where(k => k.StartsWith(folder + "/", StringComparison.Ordinal)).Select(k => k[(folder.Length + 1)..]).Order(StringComparer.Ordinal)]);

    public ValueTask<IBlobWriter> CreateAsync(CancellationToken cancellation) => ValueTask.FromResult<IBlobWriter>(new Writer(this));

    public ValueTask<Stream> OpenAsync(BlobReference blob, CancellationToken cancellation)
    {
        reads.AddOrUpdate(blob.Sha256, 1, static (_, n) => n + 1);
        return blobs.TryGetValue(blob.Sha256, out var bytes)
            ? ValueTask.FromResult<Stream>(new MemoryStream(bytes, writable: false))
            : throw new StorageException($"There is no blob {blob.Sha256}.");
    }

    public ValueTask<bool> ContainsAsync(BlobReference blob, CancellationToken cancellation) => ValueTask.FromResult(blobs.ContainsKey(blob.Sha256));

    public ValueTask<IAsyncDisposable?> HoldAsync(BlobReference blob, CancellationToken cancellation) =>
        ValueTask.FromResult<IAsyncDisposable?>(blobs.ContainsKey(blob.Sha256) ? new Nothing() : null);

    public ValueTask<long> SweepAsync(Func<ValueTask<IReadOnlySet<string>>> referenced, CancellationToken cancellation) => ValueTask.FromResult(0L);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Nothing : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class Writer(SharedStore store) : IBlobWriter
    {
        private readonly MemoryStream bytes = new();

        public long Length => bytes.Length;

        public ValueTask WriteAsync(ReadOnlyMemory<byte> more, CancellationToken cancellation) => bytes.WriteAsync(more, cancellation);

        public ValueTask<BlobReference> CommitAsync(BlobReference? expected, CancellationToken cancellation)
        {
            var content = bytes.ToArray();
            var reference = new BlobReference(Convert.ToHexStringLower(SHA256.HashData(content)), content.Length);
            if (expected is not null && expected != reference)
            {
                throw new StorageException($"Expected {expected}, got {reference}.");
            }

            store.blobs[reference.Sha256] = content;
            return ValueTask.FromResult(reference);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class Log
    {
        public byte[]? Snapshot { get; set; }

        public long SnapshotSequence { get; set; }

        public List<byte[]> Records { get; } = [];
    }

    private sealed class LogHandle(SharedStore store, Log log) : IRunLog
    {
        public long NextSequence { get; private set; }

        public ValueTask<RunHistory> LoadAsync(CancellationToken cancellation)
        {
            lock (log)
            {
                NextSequence = log.SnapshotSequence + log.Records.Count;
                return ValueTask.FromResult(new RunHistory(log.Snapshot is { } snapshot ? (ReadOnlyMemory<byte>?)snapshot : null, log.SnapshotSequence, [.. log.Records.Select(r => (ReadOnlyMemory<byte>)r)]));
            }
        }

        public ValueTask AppendAsync(long expected, IReadOnlyList<ReadOnlyMemory<byte>> records, CancellationToken cancellation)
        {
            lock (log)
            {
                Check(expected);
                log.Records.AddRange(records.Select(r => r.ToArray()));
                NextSequence = expected + records.Count;
                return ValueTask.CompletedTask;
            }
        }

        public ValueTask SaveSnapshotAsync(long sequence, ReadOnlyMemory<byte> snapshot, CancellationToken cancellation)
        {
            lock (log)
            {
                Check(sequence);
                log.Snapshot = snapshot.ToArray();
                log.Records.Clear();
                log.SnapshotSequence = sequence;
                return ValueTask.CompletedTask;
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private void Check(long expected)
        {
            if (expected != log.SnapshotSequence + log.Records.Count)
            {
                Interlocked.Increment(ref store.Fenced);
                throw new FencedException("Another host writes this run.");
            }
        }
    }
}

using System.Collections.Concurrent;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Storage;

/// <summary>Another store, whose reads of blobs are counted, and which may pass for one of another process.</summary>
internal sealed class WatchedStore(IStore store, bool isRemote = false) : IStore, IBlobStore
{
    private readonly ConcurrentDictionary<string, int> reads = new(StringComparer.Ordinal);

    public bool IsRemote => isRemote;

    public IBlobStore Blobs => this;

    public IDocumentStore Documents => store.Documents;

    /// <summary>How often a blob was opened.</summary>
    public int Reads(BlobReference blob) => reads.GetValueOrDefault(blob.Sha256);

    public IRunLog OpenLog(string run) => store.OpenLog(run);

    public ValueTask DeleteLogAsync(string run, CancellationToken cancellation) => store.DeleteLogAsync(run, cancellation);

    public ValueTask<IBlobWriter> CreateAsync(CancellationToken cancellation) => store.Blobs.CreateAsync(cancellation);

    public ValueTask<IAsyncDisposable?> TryTakeOverAsync(string path, BlobReference blob, CancellationToken cancellation) => store.Blobs.TryTakeOverAsync(path, blob, cancellation);

    public ValueTask<Stream> OpenAsync(BlobReference blob, CancellationToken cancellation)
    {
        reads.AddOrUpdate(blob.Sha256, 1, static (_, n) => n + 1);
        return store.Blobs.OpenAsync(blob, cancellation);
    }

    public ValueTask<bool> ContainsAsync(BlobReference blob, CancellationToken cancellation) => store.Blobs.ContainsAsync(blob, cancellation);

    public ValueTask<IAsyncDisposable?> HoldAsync(BlobReference blob, CancellationToken cancellation) => store.Blobs.HoldAsync(blob, cancellation);

    public ValueTask<long> SweepAsync(Func<ValueTask<IReadOnlySet<string>>> referenced, CancellationToken cancellation) => store.Blobs.SweepAsync(referenced, cancellation);

    public ValueTask DisposeAsync() => store.DisposeAsync();
}

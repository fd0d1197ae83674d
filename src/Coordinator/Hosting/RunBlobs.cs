using System.Security.Cryptography;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>
/// The blobs of this process as readers see them: small ones in memory before those in the store. What is created through it stays in
/// memory when it is small, and is then only as durable as the log that can bring it back.
/// </summary>
/// <param name="inlineBytes">Largest blob that is kept in memory; 0 for none.</param>
/// <remarks>One run's: what it puts into memory is counted once for it. Reading is thread-safe, the rest is the run's.</remarks>
public sealed class RunBlobs(MemoryBlobs memory, IBlobStore store, int inlineBytes) : IBlobStore
{
    private readonly int inlineBytes = inlineBytes;
    private readonly IBlobStore store = store;

    private readonly Dictionary<string, BlobReference> held = new(StringComparer.Ordinal);

    public bool IsRemote => store.IsRemote;

    /// <summary>Blobs that this run holds in memory.</summary>
    internal int HeldInMemory => held.Count;

    public ValueTask<IBlobWriter> CreateAsync(CancellationToken cancellation) => inlineBytes == 0
        ? store.CreateAsync(cancellation)
        : ValueTask.FromResult<IBlobWriter>(new Writer(this));

    public ValueTask<Stream> OpenAsync(BlobReference blob, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(blob);
        return memory.TryGet(blob.Sha256, out var bytes)
            ? ValueTask.FromResult<Stream>(new ReadOnlyMemoryStream(bytes))
            : store.OpenAsync(blob, cancellation);
    }

    public async ValueTask<bool> ContainsAsync(BlobReference blob, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(blob);
        return memory.TryGet(blob.Sha256, out _) || await store.ContainsAsync(blob, cancellation).ConfigureAwait(false);
    }

    public ValueTask<IAsyncDisposable?> HoldAsync(BlobReference blob, CancellationToken cancellation) => store.HoldAsync(blob, cancellation);

    public ValueTask<long> SweepAsync(Func<ValueTask<IReadOnlySet<string>>> referenced, CancellationToken cancellation) =>
        store.SweepAsync(referenced, cancellation);

    internal void Put(BlobReference blob, ReadOnlyMemory<byte> bytes)
    {
        if (held.TryAdd(blob.Sha256, blob))
        {
            memory.Put(blob, bytes);
        }
    }

    /// <summary>The bytes of a blob that this run holds in memory.</summary>
    internal bool TryGetHeld(string sha256, out ReadOnlyMemory<byte> bytes)
    {
        bytes = default;
        return held.ContainsKey(sha256) && memory.TryGet(sha256, out bytes);
    }

    /// <summary>Lets go of what this run holds in memory and is not needed.</summary>
    internal void Keep(IReadOnlySet<string> needed)
    {
        foreach (var (digest, blob) in held.Where(pair => !needed.Contains(pair.Key)).ToList())
        {
            held.Remove(digest);
            memory.Release(blob);
        }
    }

    /// <summary>Makes a blob durable that so far only the log could bring back.</summary>
    internal async ValueTask PersistAsync(BlobReference blob, CancellationToken cancellation)
    {
        if (TryGetHeld(blob.Sha256, out var bytes) && !await store.ContainsAsync(blob, cancellation).ConfigureAwait(false))
        {
            await using var writer = await store.CreateAsync(cancellation).ConfigureAwait(false);
            await writer.WriteAsync(bytes, cancellation).ConfigureAwait(false);
            await writer.CommitAsync(blob, cancellation).ConfigureAwait(false);
        }
    }

    private sealed class Writer(RunBlobs run) : IBlobWriter
    {
        private readonly MemoryStream small = new();
        private IBlobWriter? large;

        public long Length => large?.Length ?? small.Length;

        public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
        {
            if (large is null && small.Length + bytes.Length <= run.inlineBytes)
            {
                small.Write(bytes.Span);
                return;
            }

            if (large is null)
            {
                large = await run.store.CreateAsync(cancellation).ConfigureAwait(false);
                await large.WriteAsync(small.GetBuffer().AsMemory(0, (int)small.Length), cancellation).ConfigureAwait(false);
            }

            await large.WriteAsync(bytes, cancellation).ConfigureAwait(false);
        }

        public ValueTask<BlobReference> CommitAsync(BlobReference? expected, CancellationToken cancellation)
        {
            if (large is not null)
            {
                return large.CommitAsync(expected, cancellation);
            }

            var bytes = small.ToArray();
            var blob = new BlobReference(Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length);
            if (expected is not null && expected != blob)
            {
                throw new BlobMismatchException($"The bytes are not what was declared: digest {expected.Sha256} was, {blob.Sha256} came. Send them again.");
            }

            run.Put(blob, bytes);
            return ValueTask.FromResult(blob);
        }

        public ValueTask DisposeAsync() => large?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}

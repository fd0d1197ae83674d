using System.Buffers;
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

    /// <summary>Pieces in which a blob that is not read at once is checked.</summary>
    private const int Piece = 1 << 20;

    /// <summary>Blobs up to so many bytes are checked in memory and read once: where reading is a request to another process, and where it is not.</summary>
    private const int RemoteAtOnce = 64 << 20, LocalAtOnce = Piece;

    /// <summary>Whether blobs of the store are held against their digests before they are given out.</summary>
    internal bool Verifies { get; set; }

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
            : Verifies ? OpenVerifiedAsync(blob, cancellation) : store.OpenAsync(blob, cancellation);
    }

    /// <exception cref="DamagedException">The store has no such blob, or other bytes under its name.</exception>
    private async ValueTask<Stream> OpenVerifiedAsync(BlobReference blob, CancellationToken cancellation)
    {
        if (!await store.ContainsAsync(blob, cancellation).ConfigureAwait(false))
        {
            throw new DamagedException($"Blob {blob.Sha256} ({blob.Length} bytes), which the run needs, is not in the store; restore it from a backup.");
        }

        var stream = await store.OpenAsync(blob, cancellation).ConfigureAwait(false);
        try
        {
            var isSound = stream.Length == blob.Length;
            if (isSound && blob.Length <= (store.IsRemote ? RemoteAtOnce : LocalAtOnce))
            {
                var bytes = new byte[blob.Length];
                await stream.ReadExactlyAsync(bytes, cancellation).ConfigureAwait(false);
                await stream.DisposeAsync().ConfigureAwait(false);
                (stream, isSound) = (new ReadOnlyMemoryStream(bytes), Convert.ToHexStringLower(SHA256.HashData(bytes)) == blob.Sha256);
            }
            else if (isSound)
            {
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                var piece = ArrayPool<byte>.Shared.Rent(Piece);
                try
                {
                    for (int read; (read = await stream.ReadAsync(piece, cancellation).ConfigureAwait(false)) > 0;)
                    {
                        hash.AppendData(piece, 0, read);
                    }
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(piece);
                }

                isSound = Convert.ToHexStringLower(hash.GetHashAndReset()) == blob.Sha256;
                stream.Position = 0;
            }

            return isSound ? stream : throw new DamagedException($"Blob {blob.Sha256} ({blob.Length} bytes) is damaged: the store holds other bytes under that name; restore it from a backup.");
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
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

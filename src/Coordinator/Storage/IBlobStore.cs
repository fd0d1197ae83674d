using Federated.Protocol;

namespace Federated.Coordinator.Storage;

/// <summary>Content-addressed bytes: models, updates, optimizer state. Immutable; the same bytes are stored once. Thread-safe.</summary>
public interface IBlobStore
{
    /// <summary>Whether reading is a request to another process, and not this machine's page cache: then it pays to have read before it is needed.</summary>
    bool IsRemote => false;

    /// <summary>Starts writing a blob; nobody sees it until it is committed.</summary>
    ValueTask<IBlobWriter> CreateAsync(CancellationToken cancellation);

    /// <summary>Makes a file of this machine a blob without copying it, where the store can.</summary>
    /// <param name="path">The file; it is the store's from here on.</param>
    /// <param name="blob">Its length and digest, which the caller has verified.</param>
    /// <returns>The blob, held until disposed; null where the store cannot: the file is still the caller's.</returns>
    /// <exception cref="StorageException">The store failed.</exception>
    ValueTask<IAsyncDisposable?> TryTakeOverAsync(string path, BlobReference blob, CancellationToken cancellation) => ValueTask.FromResult<IAsyncDisposable?>(null);

    /// <summary>Opens a committed blob for reading; the stream can seek.</summary>
    /// <exception cref="StorageException">There is no such blob.</exception>
    ValueTask<Stream> OpenAsync(BlobReference blob, CancellationToken cancellation);

    ValueTask<bool> ContainsAsync(BlobReference blob, CancellationToken cancellation);

    /// <summary>Keeps a committed blob from being swept until the result is disposed, so that an event may be posted that names it.</summary>
    /// <returns>Null when there is no such blob.</returns>
    ValueTask<IAsyncDisposable?> HoldAsync(BlobReference blob, CancellationToken cancellation);

    /// <summary>
    /// Deletes every committed blob that is not referenced now, was not at the sweep before, and was neither committed, asked for nor held
    /// in between. The time between two sweeps is thus what a sender has from its upload to the event that names it.
    /// </summary>
    /// <param name="referenced">
    /// Called once; gives the digests to keep, and is asked about every blob that is there. What is committed, asked for or held after it was called is kept whatever it says.
    /// </param>
    /// <returns>Bytes freed.</returns>
    ValueTask<long> SweepAsync(Func<ValueTask<IReadOnlySet<string>>> referenced, CancellationToken cancellation);
}

/// <summary>A blob on its way in: append in order, then commit or dispose. Until disposed, it holds what it committed.</summary>
public interface IBlobWriter : IAsyncDisposable
{
    /// <summary>Bytes written so far.</summary>
    long Length { get; }

    ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation);

    /// <summary>Makes the blob durable and visible.</summary>
    /// <param name="expected">What the sender declared; null to take the bytes as they are.</param>
    /// <exception cref="StorageException">Length or digest is not as declared; nothing is stored.</exception>
    ValueTask<BlobReference> CommitAsync(BlobReference? expected, CancellationToken cancellation);
}

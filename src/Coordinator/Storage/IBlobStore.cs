using Federated.Protocol;

namespace Federated.Coordinator.Storage;

/// <summary>Content-addressed bytes: models, updates, optimizer state. Immutable; the same bytes are stored once.</summary>
public interface IBlobStore
{
    /// <summary>Starts writing a blob; nobody sees it until it is committed.</summary>
    ValueTask<IBlobWriter> CreateAsync(CancellationToken cancellation);

    /// <summary>Opens a committed blob for reading.</summary>
    /// <exception cref="StorageException">There is no such blob.</exception>
    ValueTask<Stream> OpenAsync(BlobReference blob, CancellationToken cancellation);

    ValueTask<bool> ContainsAsync(BlobReference blob, CancellationToken cancellation);

    /// <summary>Deletes every committed blob whose digest is not referenced; blobs being written are left alone.</summary>
    /// <returns>Bytes freed.</returns>
    ValueTask<long> SweepAsync(IReadOnlySet<string> referenced, CancellationToken cancellation);
}

/// <summary>A blob on its way in: append in order, then commit or dispose.</summary>
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

using Federated.Protocol;

namespace Federated.Coordinator.Storage;

/// <summary>A blob store that can take a file over instead of copying its bytes.</summary>
public interface IBlobAdopter
{
    /// <summary>Moves a file in as a blob, durable and visible. Its digest has been checked and its bytes are synced.</summary>
    /// <param name="path">A file on the store's own volume; gone afterwards.</param>
    ValueTask AdoptAsync(string path, BlobReference blob, CancellationToken cancellation);
}

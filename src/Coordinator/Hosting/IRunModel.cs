using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>The numbers behind a durable run: carries out accumulate and publish on blobs, and saves itself into blobs.</summary>
public interface IRunModel
{
    /// <summary>Folds the update in whose delta and extras stand in the store.</summary>
    ValueTask AccumulateAsync(Accumulate effect, BlobReference? baseModel, IBlobStore blobs, CancellationToken cancellation);

    /// <summary>Makes the next version.</summary>
    void Publish(Publish effect);

    /// <summary>Writes the current version's parameters as safetensors into the store.</summary>
    ValueTask<BlobReference> SaveModelAsync(IBlobStore blobs, CancellationToken cancellation);

    /// <summary>Writes everything else that the next version depends on: optimizer and objective state. Null when there is none.</summary>
    ValueTask<BlobReference?> SaveStateAsync(IBlobStore blobs, CancellationToken cancellation);

    /// <summary>Goes back to a saved version; anything accumulated since is dropped.</summary>
    ValueTask LoadAsync(int version, BlobReference model, BlobReference? state, IBlobStore blobs, CancellationToken cancellation);
}

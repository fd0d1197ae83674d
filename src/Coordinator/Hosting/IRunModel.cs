using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>The numbers behind a durable run: carries out accumulate and publish on blobs, and saves itself into blobs.</summary>
/// <remarks>One caller at a time for all but <see cref="CheckAsync"/>. The same calls give the same bits: a crash repeats them.</remarks>
public interface IRunModel
{
    /// <summary>Whether what was uploaded is an update of this model, before anything is posted. Thread-safe.</summary>
    ValueTask<UpdateCheck> CheckAsync(UpdateReport report, OpenBlob open, CancellationToken cancellation);

    /// <summary>Folds the update in whose delta and extras stand in the store.</summary>
    ValueTask AccumulateAsync(Accumulate effect, BlobReference? baseModel, IBlobStore blobs, CancellationToken cancellation);

    /// <summary>Makes the next version.</summary>
    void Publish(Publish effect);

    /// <summary>Writes what the current version shows to others: parameters, vectors that go down beside them, the model to ship.</summary>
    ValueTask<VersionBlobs> SaveVersionAsync(IBlobStore blobs, CancellationToken cancellation);

    /// <summary>Writes everything else that the next version depends on: aggregator, optimizer and objective state. Null when there is none.</summary>
    ValueTask<BlobReference?> SaveStateAsync(IBlobStore blobs, CancellationToken cancellation);

    /// <summary>Name of the server optimizer, where it has state that another run with the same one can go on from; else empty.</summary>
    string Optimizer => "";

    /// <summary>Takes the server optimizer's part of what <see cref="SaveStateAsync"/> of a model with the same one wrote, and nothing else of it.</summary>
    ValueTask TakeOptimizerAsync(BlobReference state, IBlobStore blobs, CancellationToken cancellation) =>
        throw new NotSupportedException("This model has no server optimizer.");

    /// <summary>Goes back to a saved version; anything accumulated since is dropped.</summary>
    ValueTask LoadAsync(int version, VersionBlobs saved, BlobReference? state, IBlobStore blobs, CancellationToken cancellation);
}

/// <summary>Opens a blob for reading; the stream can seek.</summary>
public delegate ValueTask<Stream> OpenBlob(BlobReference blob, CancellationToken cancellation);

/// <summary>What a look at an upload found.</summary>
/// <param name="Problem">Empty when it is an update of this model; else what is wrong, for its sender.</param>
/// <param name="IsFinite">False when it holds NaN or infinity: such an update is posted, and rejected.</param>
public readonly record struct UpdateCheck(string Problem, bool IsFinite)
{
    public static UpdateCheck Fine { get; } = new("", true);
}

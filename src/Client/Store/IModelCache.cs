using Federated.Protocol;

namespace Federated.Client.Store;

/// <summary>Blobs from the coordinator by digest, up to a bound. May be shared by the clients of one process.</summary>
public interface IModelCache
{
    /// <summary>Held while a blob is looked up and fetched, so that several clients fetch it once.</summary>
    ValueTask<IDisposable> EnterAsync(string sha256, CancellationToken cancellation);

    /// <summary>Opens a blob, its bytes checked against the digest; null when it is not there whole. It can seek.</summary>
    Stream? Open(BlobReference blob);

    /// <summary>Opens what is there of a blob, positioned at its end, to be continued.</summary>
    Stream OpenPartial(BlobReference blob);

    /// <summary>Takes a partial blob in when its length and digest are right; otherwise drops it and says false.</summary>
    bool Complete(BlobReference blob);
}

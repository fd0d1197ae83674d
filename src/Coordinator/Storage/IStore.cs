namespace Federated.Coordinator.Storage;

/// <summary>Everything durable of one coordinator: blobs, the logs of its runs, and small documents. Thread-safe.</summary>
public interface IStore : IAsyncDisposable
{
    IBlobStore Blobs { get; }

    /// <summary>Small named documents, each replaced whole: the catalog of runs, the registry of clients.</summary>
    IDocumentStore Documents { get; }

    /// <summary>The log of a run; load it before writing to it.</summary>
    IRunLog OpenLog(string run);

    /// <summary>Deletes the log of a run that no host has open.</summary>
    ValueTask DeleteLogAsync(string run, CancellationToken cancellation);
}

/// <summary>Small named documents. A write is durable when it returns, and whole or absent after a crash.</summary>
/// <remarks>Names are lower-case letters, digits, dots and hyphens, in folders separated by '/'; each part begins with a letter or digit.</remarks>
public interface IDocumentStore
{
    /// <returns>Null when there is none of that name.</returns>
    ValueTask<byte[]?> ReadAsync(string name, CancellationToken cancellation);

    /// <summary>Creates a document; of several who try at once, one does.</summary>
    /// <returns>False when there is one of that name.</returns>
    ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation);

    /// <summary>Creates or replaces a document.</summary>
    ValueTask WriteAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation);

    ValueTask DeleteAsync(string name, CancellationToken cancellation);

    /// <summary>Names of the documents directly in a folder, without the folder, in ordinal order.</summary>
    ValueTask<IReadOnlyList<string>> ListAsync(string folder, CancellationToken cancellation);
}

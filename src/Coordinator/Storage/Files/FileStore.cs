namespace Federated.Coordinator.Storage.Files;

/// <summary>Everything durable under one data folder: <c>blobs/</c>, <c>runs/ID/</c>, <c>documents/</c>. One process at a time.</summary>
public sealed class FileStore : IStore
{
    private readonly IFileSystem files;
    private readonly FileStream? owned;

    /// <param name="files">Nobody else writes there.</param>
    public FileStore(IFileSystem files)
    {
        ArgumentNullException.ThrowIfNull(files);
        this.files = files;
        Blobs = new FileBlobStore(files, "blobs");
        Documents = new FileDocumentStore(files, "documents");
    }

    private FileStore(IFileSystem files, FileStream owned)
        : this(files) => this.owned = owned;

    public IBlobStore Blobs { get; }

    public IDocumentStore Documents { get; }

    /// <summary>Opens a data folder of this machine, creating it as needed, and keeps other processes out until disposed.</summary>
    /// <exception cref="StorageException">Another process has the folder open.</exception>
    public static FileStore Open(string folder)
    {
        var files = new PhysicalFileSystem(folder);
        FileStream owned;
        try
        {
            owned = new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new StorageException($"Data folder '{folder}' is in use by another process, or not writable: {e.Message} Stop that process, or name another folder.", e);
        }

        try
        {
            return new FileStore(files, owned);
        }
        catch
        {
            owned.Dispose();
            throw;
        }
    }

    public IRunLog OpenLog(string run) => new FileRunLog(files, FolderOf(run));

    public ValueTask DeleteLogAsync(string run, CancellationToken cancellation)
    {
        var folder = FolderOf(run);
        foreach (var name in files.List(folder))
        {
            files.Delete($"{folder}/{name}");
        }

        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        if (owned is not null)
        {
            await owned.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static string FolderOf(string run)
    {
        DocumentNames.Check(run);
        return $"runs/{run}";
    }
}

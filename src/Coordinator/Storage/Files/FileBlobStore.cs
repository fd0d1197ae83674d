using System.Collections.Concurrent;
using System.Security.Cryptography;
using Federated.Protocol;

namespace Federated.Coordinator.Storage.Files;

/// <summary>Blobs as files named by their SHA-256, in 256 folders; written aside, synced and renamed.</summary>
public sealed class FileBlobStore : IBlobStore
{
    private readonly IFileSystem files;
    private readonly string folder;
    private readonly SweepMarks marks = new();

    /// <summary>Folders whose own names are durable.</summary>
    private readonly ConcurrentDictionary<string, bool> knownFolders = new(StringComparer.Ordinal);
    private long nextWriter;

    public FileBlobStore(IFileSystem files, string folder)
    {
        ArgumentNullException.ThrowIfNull(files);
        (this.files, this.folder) = (files, folder);
        foreach (var left in files.List(Incoming))
        {
            files.Delete($"{Incoming}/{left}"); // Never committed before the last stop.
        }
    }

    private string Incoming => $"{folder}/incoming";

    public ValueTask<IBlobWriter> CreateAsync(CancellationToken cancellation)
    {
        var path = $"{Incoming}/{Interlocked.Increment(ref nextWriter)}";
        try
        {
            return ValueTask.FromResult<IBlobWriter>(new Writer(this, path));
        }
        catch (IOException e)
        {
            throw new StorageException($"A blob cannot be begun in '{folder}': {e.Message} Free space or mend the disk.", e);
        }
    }

    public ValueTask<IAsyncDisposable?> TryTakeOverAsync(string path, BlobReference blob, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(blob);
        var incoming = $"{Incoming}/{Interlocked.Increment(ref nextWriter)}";
        try
        {
            if (!files.TryTakeOver(path, incoming))
            {
                return ValueTask.FromResult<IAsyncDisposable?>(null);
            }

            using (var file = files.OpenAppend(incoming))
            {
                file.Sync();
            }

            return ValueTask.FromResult<IAsyncDisposable?>(Publish(incoming, blob.Sha256));
        }
        catch (IOException e)
        {
            throw Failed(e);
        }
    }

    public ValueTask<Stream> OpenAsync(BlobReference blob, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(blob);
        var path = PathOf(blob.Sha256);
        try
        {
            return ValueTask.FromResult(files.OpenRead(path));
        }
        catch (Exception e) when (e is (IOException or UnauthorizedAccessException) and not (FileNotFoundException or DirectoryNotFoundException))
        {
            throw new StorageException($"Reading blob {blob.Sha256} failed: {e.Message} Mend the disk, or give the coordinator its files.", e);
        }
        catch (IOException e)
        {
            throw new StorageException($"Blob {blob.Sha256} ({blob.Length} bytes) is not in the store '{folder}'; it was deleted or never uploaded.", e);
        }
    }

    public ValueTask<bool> ContainsAsync(BlobReference blob, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(blob);
        var path = PathOf(blob.Sha256);
        marks.Touch(blob.Sha256);
        return ValueTask.FromResult(files.Exists(path));
    }

    public async ValueTask<IAsyncDisposable?> HoldAsync(BlobReference blob, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(blob);
        var path = PathOf(blob.Sha256);
        var hold = marks.Hold(blob.Sha256);
        if (files.Exists(path))
        {
            return hold;
        }

        await hold.DisposeAsync().ConfigureAwait(false);
        return null;
    }

    public async ValueTask<long> SweepAsync(Func<ValueTask<IReadOnlySet<string>>> referenced, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(referenced);
        marks.Begin();
        var kept = await referenced().ConfigureAwait(false);
        var unreferenced = new HashSet<string>(StringComparer.Ordinal);
        var freed = 0L;
        for (var prefix = 0; prefix < 256; prefix++)
        {
            cancellation.ThrowIfCancellationRequested();
            var shard = $"{folder}/{prefix:x2}";
            foreach (var name in files.List(shard).Where(n => !kept.Contains(n)))
            {
                unreferenced.Add(name);
                var length = files.Length($"{shard}/{name}");
                if (marks.TryDelete(name, () => files.Delete($"{shard}/{name}")))
                {
                    freed += length;
                }
            }
        }

        marks.End(unreferenced);
        return freed;
    }

    /// <summary>Gives a synced file its digest as a name, durably.</summary>
    /// <returns>Holds the blob until it is disposed.</returns>
    private IAsyncDisposable Publish(string incoming, string sha256)
    {
        var target = PathOf(sha256);
        var hold = marks.Hold(sha256);
        try
        {
            files.Rename(incoming, target);
            var shard = target[..target.LastIndexOf('/')];
            files.SyncFolder(shard);
            if (!knownFolders.ContainsKey(shard))
            {
                files.SyncFolder(folder);
                knownFolders[shard] = true;
            }

            return hold;
        }
        catch
        {
            marks.Release(sha256);
            throw;
        }
    }

    private static StorageException Failed(IOException e) => new($"Committing a blob failed: {e.Message} Free space or mend the disk.", e);

    private string PathOf(string sha256) => sha256.Length == 64 && sha256.All(char.IsAsciiHexDigitLower)
        ? $"{folder}/{sha256[..2]}/{sha256}"
        : throw new StorageException($"'{sha256}' is not a SHA-256 digest; 64 lower-case hexadecimal digits are needed.");

    private sealed class Writer : IBlobWriter
    {
        private readonly FileBlobStore store;
        private readonly string path;
        private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private IAppendFile? file;
        private IAsyncDisposable? hold;

        public Writer(FileBlobStore store, string path)
        {
            (this.store, this.path) = (store, path);
            file = store.files.OpenAppend(path);
        }

        public long Length { get; private set; }

        public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
        {
            ObjectDisposedException.ThrowIf(file is null, this);
            try
            {
                file.Append(bytes.Span);
            }
            catch (IOException e)
            {
                throw new StorageException($"Writing a blob failed: {e.Message} Free space or mend the disk.", e);
            }

            hash.AppendData(bytes.Span);
            Length += bytes.Length;
            return ValueTask.CompletedTask;
        }

        public ValueTask<BlobReference> CommitAsync(BlobReference? expected, CancellationToken cancellation)
        {
            ObjectDisposedException.ThrowIf(file is null, this);
            var actual = new BlobReference(Convert.ToHexStringLower(hash.GetHashAndReset()), Length);
            if (expected is not null && expected != actual)
            {
                throw new BlobMismatchException(
                    $"The bytes are not what was declared: {expected.Length} bytes with digest {expected.Sha256} were, {actual.Length} with {actual.Sha256} came. Send them again.");
            }

            try
            {
                file.Sync();
                file.Dispose();
                file = null;
                hold = store.Publish(path, actual.Sha256);
            }
            catch (IOException e)
            {
                throw Failed(e);
            }

            return ValueTask.FromResult(actual);
        }

        public async ValueTask DisposeAsync()
        {
            hash.Dispose();
            if (file is not null)
            {
                file.Dispose();
                file = null;
                store.files.Delete(path);
            }

            if (hold is not null)
            {
                await hold.DisposeAsync().ConfigureAwait(false);
            }
        }
    }
}

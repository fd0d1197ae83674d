using System.Security.Cryptography;
using Federated.Protocol;

namespace Federated.Coordinator.Storage.Files;

/// <summary>Blobs as files named by their SHA-256, in 256 folders; written aside, synced and renamed.</summary>
public sealed class FileBlobStore : IBlobStore
{
    private readonly IFileSystem files;
    private readonly string folder;
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
        return ValueTask.FromResult<IBlobWriter>(new Writer(this, path));
    }

    public ValueTask<Stream> OpenAsync(BlobReference blob, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(blob);
        var path = PathOf(blob.Sha256);
        return files.Exists(path)
            ? ValueTask.FromResult(files.OpenRead(path))
            : throw new StorageException($"Blob {blob.Sha256} ({blob.Length} bytes) is not in the store '{folder}'; it was deleted or never uploaded.");
    }

    public ValueTask<bool> ContainsAsync(BlobReference blob, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(blob);
        return ValueTask.FromResult(files.Exists(PathOf(blob.Sha256)));
    }

    public ValueTask<long> SweepAsync(IReadOnlySet<string> referenced, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(referenced);
        var freed = 0L;
        for (var prefix = 0; prefix < 256; prefix++)
        {
            var shard = $"{folder}/{prefix:x2}";
            foreach (var name in files.List(shard).Where(n => !referenced.Contains(n)))
            {
                freed += files.Length($"{shard}/{name}");
                files.Delete($"{shard}/{name}");
            }
        }

        return ValueTask.FromResult(freed);
    }

    private string PathOf(string sha256) => sha256.Length == 64 && sha256.All(char.IsAsciiHexDigitLower)
        ? $"{folder}/{sha256[..2]}/{sha256}"
        : throw new StorageException($"'{sha256}' is not a SHA-256 digest; 64 lower-case hexadecimal digits are needed.");

    private sealed class Writer : IBlobWriter
    {
        private readonly FileBlobStore store;
        private readonly string path;
        private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private IAppendFile? file;

        public Writer(FileBlobStore store, string path)
        {
            (this.store, this.path) = (store, path);
            file = store.files.OpenAppend(path);
        }

        public long Length { get; private set; }

        public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
        {
            ObjectDisposedException.ThrowIf(file is null, this);
            file.Append(bytes.Span);
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
                throw new StorageException(
                    $"The bytes are not what was declared: {expected.Length} bytes with digest {expected.Sha256} were, {actual.Length} with {actual.Sha256} came. Send them again.");
            }

            file.Sync();
            file.Dispose();
            file = null;
            var target = store.PathOf(actual.Sha256);
            store.files.Rename(path, target);
            store.files.SyncFolder(target[..target.LastIndexOf('/')]);
            store.files.SyncFolder(store.folder);
            return ValueTask.FromResult(actual);
        }

        public ValueTask DisposeAsync()
        {
            hash.Dispose();
            if (file is not null)
            {
                file.Dispose();
                file = null;
                store.files.Delete(path);
            }

            return ValueTask.CompletedTask;
        }
    }
}

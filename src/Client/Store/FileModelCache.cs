using Federated.Protocol;

namespace Federated.Client.Store;

/// <summary>Models in a folder, one file per digest, the least recently used removed when they exceed a bound.</summary>
/// <remarks>
/// A partial download is kept as <c>DIGEST.part</c> and continued. Nothing here need be durable: what is damaged does not match its digest and
/// is fetched again, and a digest is checked whenever a model is opened (about a second per GiB).
/// </remarks>
public sealed class FileModelCache : IModelCache, IDisposable
{
    private const string Partial = ".part";

    private readonly string folder;
    private readonly long maxBytes;
    private readonly TimeProvider clock;
    private readonly BlobGates gates = new();

    public FileModelCache(string folder, long maxBytes, TimeProvider clock)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        (this.folder, this.maxBytes, this.clock) = (Path.GetFullPath(folder), maxBytes, clock);
        DurableFiles.CreateFolder(this.folder);
    }

    public ValueTask<IDisposable> EnterAsync(string sha256, CancellationToken cancellation) => gates.EnterAsync(sha256, cancellation);

    public Stream? Open(BlobReference blob)
    {
        var path = PathOf(blob);
        if (!File.Exists(path))
        {
            return null;
        }

        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 64 << 10);
        if (Digests.Matches(file, blob))
        {
            File.SetLastWriteTimeUtc(path, clock.GetUtcNow().UtcDateTime);
            return file;
        }

        file.Dispose();
        File.Delete(path);
        return null;
    }

    public Stream OpenPartial(BlobReference blob)
    {
        var file = new FileStream(PathOf(blob) + Partial, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 64 << 10);
        if (file.Length > blob.Length)
        {
            file.SetLength(0);
        }

        file.Seek(0, SeekOrigin.End);
        return file;
    }

    public bool Complete(BlobReference blob)
    {
        var path = PathOf(blob);
        bool isWhole;
        using (var file = new FileStream(path + Partial, FileMode.Open, FileAccess.Read, FileShare.None, bufferSize: 0))
        {
            isWhole = Digests.Matches(file, blob);
        }

        if (!isWhole)
        {
            File.Delete(path + Partial);
            return false;
        }

        File.Move(path + Partial, path, overwrite: true);
        File.SetLastWriteTimeUtc(path, clock.GetUtcNow().UtcDateTime);
        Trim(Path.GetFileName(path));
        return true;
    }

    public void Dispose() => gates.Dispose();

    private void Trim(string keep)
    {
        var total = 0L;
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles().OrderBy(f => f.Name != keep).ThenByDescending(f => f.LastWriteTimeUtc))
        {
            total += file.Length;
            if (total > maxBytes && file.Name != keep)
            {
                Remove(file);
            }
        }
    }

    // Another client of this process may have it open, which Windows minds: it goes the next time.
    private static void Remove(FileInfo file)
    {
        try
        {
            file.Delete();
        }
        catch (IOException)
        {
        }
    }

    // A digest from the network becomes a file name: it must be one.
    private string PathOf(BlobReference blob) => blob.Sha256.Length == 64 && blob.Sha256.All(char.IsAsciiHexDigitLower)
        ? Path.Combine(folder, blob.Sha256)
        : throw new ClientException($"'{blob.Sha256}' is no digest: 64 digits of lower-case hexadecimal are needed.");
}

using Federated.Protocol;

namespace Federated.Client.Store;

/// <summary>Models in memory, the least recently used dropped when they exceed a bound.</summary>
public sealed class MemoryModelCache : IModelCache, IDisposable
{
    private readonly Lock sync = new();
    private readonly BlobGates gates = new();
    private readonly Dictionary<string, MemoryStream> partial = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> whole = new(StringComparer.Ordinal);
    private readonly List<string> used = [];
    private readonly long maxBytes;

    public MemoryModelCache(long maxBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxBytes);
        this.maxBytes = maxBytes;
    }

    public ValueTask<IDisposable> EnterAsync(string sha256, CancellationToken cancellation) => gates.EnterAsync(sha256, cancellation);

    public Stream? Open(BlobReference blob)
    {
        lock (sync)
        {
            if (!whole.TryGetValue(blob.Sha256, out var bytes) || bytes.LongLength != blob.Length)
            {
                return null;
            }

            used.Remove(blob.Sha256);
            used.Add(blob.Sha256);
            return new MemoryStream(bytes, writable: false);
        }
    }

    public Stream OpenPartial(BlobReference blob)
    {
        lock (sync)
        {
            if (!partial.TryGetValue(blob.Sha256, out var bytes))
            {
                partial.Add(blob.Sha256, bytes = new Kept());
            }

            bytes.Seek(0, SeekOrigin.End);
            return bytes;
        }
    }

    public bool Complete(BlobReference blob)
    {
        lock (sync)
        {
            if (!partial.Remove(blob.Sha256, out var bytes) || !Digests.Matches(bytes, blob))
            {
                return false;
            }

            whole[blob.Sha256] = bytes.ToArray();
            used.Remove(blob.Sha256);
            used.Add(blob.Sha256);
            while (used.Count > 1 && whole.Values.Sum(b => b.LongLength) > maxBytes)
            {
                whole.Remove(used[0]);
                used.RemoveAt(0);
            }

            return true;
        }
    }

    public void Dispose() => gates.Dispose();

    /// <summary>Stays open when its user is done with it: another attempt goes on where this one stopped.</summary>
    private sealed class Kept : MemoryStream
    {
        protected override void Dispose(bool disposing)
        {
        }
    }
}

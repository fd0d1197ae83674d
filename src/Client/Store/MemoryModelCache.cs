using System.Security.Cryptography;
using Federated.Protocol;

namespace Federated.Client.Store;

/// <summary>Models in memory, the least recently used dropped when they exceed a bound.</summary>
public sealed class MemoryModelCache : IModelCache, IDisposable
{
    private readonly Lock sync = new();
    private readonly BlobGates gates = new();
    private readonly Dictionary<string, byte[]> partial = new(StringComparer.Ordinal);
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
            var stream = new Part(this, blob.Sha256);
            stream.Write(partial.GetValueOrDefault(blob.Sha256, []));
            return stream;
        }
    }

    public bool Complete(BlobReference blob)
    {
        lock (sync)
        {
            if (!partial.Remove(blob.Sha256, out var bytes) || bytes.LongLength != blob.Length || Convert.ToHexStringLower(SHA256.HashData(bytes)) != blob.Sha256)
            {
                return false;
            }

            whole[blob.Sha256] = bytes;
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

    /// <summary>Leaves its bytes when its user is done with it: another attempt goes on where this one stopped.</summary>
    private sealed class Part(MemoryModelCache owner, string sha256) : MemoryStream
    {
        protected override void Dispose(bool disposing)
        {
            if (disposing && CanRead)
            {
                lock (owner.sync)
                {
                    owner.partial[sha256] = ToArray();
                }
            }

            base.Dispose(disposing);
        }
    }
}

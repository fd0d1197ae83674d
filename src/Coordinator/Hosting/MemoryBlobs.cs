using System.Collections.Concurrent;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>
/// Blobs of a process's runs that are in memory: small ones that their logs can bring back (updates not yet published, versions not yet
/// saved), and large updates of the store while they are being counted.
/// </summary>
/// <remarks>Counted: a blob is there until all who put it have released it. Thread-safe; reading takes no lock.</remarks>
public sealed class MemoryBlobs
{
    private readonly ConcurrentDictionary<string, Entry> entries = new(StringComparer.Ordinal);
    private long bytes;
    private long ahead;

    /// <summary>Bytes held.</summary>
    public long Bytes => Interlocked.Read(ref bytes);

    public bool TryGet(string sha256, out ReadOnlyMemory<byte> bytes)
    {
        var found = entries.TryGetValue(sha256, out var entry);
        bytes = found ? entry.Bytes : default;
        return found;
    }

    /// <summary>Makes room for bytes that are read ahead of their use, within what all of this process's runs may hold so.</summary>
    internal bool TryReserve(long length, long capacity)
    {
        if (Interlocked.Add(ref ahead, length) <= capacity)
        {
            return true;
        }

        Interlocked.Add(ref ahead, -length);
        return false;
    }

    internal void GiveBack(long length) => Interlocked.Add(ref ahead, -length);

    internal void Put(BlobReference blob, ReadOnlyMemory<byte> content)
    {
        var entry = entries.AddOrUpdate(
            blob.Sha256, static (_, added) => new Entry(added, 1), static (_, present, _) => present with { Holders = present.Holders + 1 }, content);
        if (entry.Holders == 1)
        {
            Interlocked.Add(ref bytes, content.Length);
        }
    }

    internal void Release(BlobReference blob)
    {
        while (entries.TryGetValue(blob.Sha256, out var entry))
        {
            if (entry.Holders > 1)
            {
                if (entries.TryUpdate(blob.Sha256, entry with { Holders = entry.Holders - 1 }, entry))
                {
                    return;
                }
            }
            else if (entries.TryRemove(KeyValuePair.Create(blob.Sha256, entry)))
            {
                Interlocked.Add(ref bytes, -entry.Bytes.Length);
                return;
            }
        }
    }

    private readonly record struct Entry(ReadOnlyMemory<byte> Bytes, int Holders);
}

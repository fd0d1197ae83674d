using Federated.Aggregation.Randomness;
using Federated.Coordinator.Storage.Files;

namespace Federated.Coordinator.Tests.Storage;

/// <summary>The power went: nothing after this operation happened.</summary>
internal sealed class CrashException() : Exception("The machine crashed.");

/// <summary>
/// A disk in memory that forgets as a real one may: what was not synced is lost, kept or torn at random when it crashes; names that were
/// not synced too. It can be told to crash at its n-th operation, to be full from a size on, or to fail a sync as Linux does.
/// </summary>
internal sealed class FaultyFileSystem(ulong seed) : IFileSystem
{
    private readonly SeededRandom random = SeededRandom.Derive(seed, "disk");
    private readonly Lock gate = new();
    private Dictionary<string, Node> names = [];
    private Dictionary<string, Node> durableNames = [];

    /// <summary>Operations until the next crash; negative for never.</summary>
    public long CrashIn { get; set; } = -1;

    /// <summary>Whether it has crashed and was not restarted since.</summary>
    public bool IsDown { get; private set; }

    public long Operations { get; private set; }

    /// <summary>Bytes that fit; writes beyond fail half-written, as on a full disk.</summary>
    public long Capacity { get; set; } = long.MaxValue;

    /// <summary>Syncs until one fails; negative for never. What it was to write can still be read, is lost when the disk crashes, and no later sync writes it.</summary>
    public int FailSyncIn { get; set; } = -1;

    /// <summary>Called before every sync, outside of any lock: a slow disk waits here.</summary>
    public Action? BeforeSync { get; set; }

    /// <summary>Syncs of files so far.</summary>
    public int Syncs { get; private set; }

    /// <summary>Restarts the machine on what its disk remembers.</summary>
    public void Restart()
    {
        lock (gate)
        {
            var after = new Dictionary<string, Node>(durableNames);
            foreach (var path in names.Keys.Union(durableNames.Keys).Order(StringComparer.Ordinal))
            {
                // A name that was changed but not synced may have reached the disk or not.
                names.TryGetValue(path, out var now);
                durableNames.TryGetValue(path, out var before);
                if (!ReferenceEquals(now, before) && random.NextDouble() < 0.5)
                {
                    if (now is null)
                    {
                        after.Remove(path);
                    }
                    else
                    {
                        after[path] = now;
                    }
                }
            }

            foreach (var node in after.Values.Distinct())
            {
                node.Crash(random);
            }

            (names, durableNames) = (after, new Dictionary<string, Node>(after));
            CrashIn = -1;
            IsDown = false;
        }
    }

    public IReadOnlyList<string> List(string folder)
    {
        lock (gate)
        {
            return [.. names.Keys.Where(p => p.StartsWith(folder + "/", StringComparison.Ordinal) && !p.AsSpan(folder.Length + 1).Contains('/'))
                .Select(p => p[(folder.Length + 1)..]).Order(StringComparer.Ordinal)];
        }
    }

    public bool Exists(string path)
    {
        lock (gate)
        {
            return names.ContainsKey(path);
        }
    }

    public long Length(string path)
    {
        lock (gate)
        {
            return names[path].Bytes.Count;
        }
    }

    public Stream OpenRead(string path)
    {
        lock (gate)
        {
            return names.TryGetValue(path, out var node) ? new MemoryStream([.. node.Bytes], writable: false) : throw new FileNotFoundException($"No file '{path}'.");
        }
    }

    public IAppendFile OpenAppend(string path)
    {
        lock (gate)
        {
            Operate();
            if (!names.TryGetValue(path, out var node))
            {
                names[path] = node = new Node();
            }

            return new AppendFile(this, node);
        }
    }

    public void Truncate(string path, long length)
    {
        lock (gate)
        {
            Operate();
            names[path].Truncate((int)length);
        }
    }

    /// <summary>Writes every byte of a file again and syncs it.</summary>
    public void Rewrite(string path)
    {
        lock (gate)
        {
            Operate();
            FailIfDue(names[path]);
            names[path].Rewrite();
        }
    }

    public void Rename(string from, string to)
    {
        lock (gate)
        {
            Operate();
            names[to] = names[from];
            names.Remove(from);
        }
    }

    public void Delete(string path)
    {
        lock (gate)
        {
            Operate();
            names.Remove(path);
        }
    }

    public void SyncFolder(string folder)
    {
        lock (gate)
        {
            Operate();
            foreach (var path in names.Keys.Union(durableNames.Keys).Where(p => p[..p.LastIndexOf('/')] == folder).ToList())
            {
                if (names.TryGetValue(path, out var node))
                {
                    durableNames[path] = node;
                }
                else
                {
                    durableNames.Remove(path);
                }
            }
        }
    }

    private void Operate()
    {
        Operations++;
        if (CrashIn >= 0 && CrashIn-- == 0)
        {
            CrashIn = 0; // Dead until restarted.
            IsDown = true;
            throw new CrashException();
        }
    }

    private void FailIfDue(Node node)
    {
        if (FailSyncIn >= 0 && FailSyncIn-- == 0)
        {
            node.FailToSync();
            throw new IOException("Input/output error.");
        }
    }

    private sealed class Node
    {
        private readonly List<(int From, int To)> lost = [];
        private int synced;

        public List<byte> Bytes { get; } = [];

        public void Sync() => synced = Bytes.Count;

        /// <summary>What was to be written counts as written.</summary>
        public void FailToSync()
        {
            lost.Add((synced, Bytes.Count));
            synced = Bytes.Count;
        }

        public void Rewrite()
        {
            lost.Clear();
            synced = Bytes.Count;
        }

        public void Truncate(int length)
        {
            Bytes.RemoveRange(length, Bytes.Count - length);
            var kept = lost.Where(part => part.From < length).Select(part => (part.From, Math.Min(part.To, length))).ToList();
            lost.Clear();
            lost.AddRange(kept);
            synced = length;
        }

        /// <summary>Of what was not synced, a random part stays, and sometimes its last bytes are garbage.</summary>
        public void Crash(SeededRandom random)
        {
            if (Bytes.Count > synced)
            {
                var kept = synced + random.NextInt(Bytes.Count - synced + 1);
                Bytes.RemoveRange(kept, Bytes.Count - kept);
                for (var i = Math.Max(synced, kept - 3); i < kept && random.NextDouble() < 0.3; i++)
                {
                    Bytes[i] ^= 0x5a;
                }
            }

            foreach (var (from, to) in lost)
            {
                for (var i = from; i < Math.Min(to, Bytes.Count); i++)
                {
                    Bytes[i] = 0;
                }
            }

            lost.Clear();
            synced = Bytes.Count;
        }
    }

    private sealed class AppendFile(FaultyFileSystem disk, Node node) : IAppendFile
    {
        /// <summary>As this handle knows it: what others append does not count.</summary>
        public long Length { get; private set; } = node.Bytes.Count;

        public void Append(ReadOnlySpan<byte> bytes)
        {
            lock (disk.gate)
            {
                try
                {
                    disk.Operate();
                }
                catch (CrashException)
                {
                    node.Bytes.AddRange(bytes[..disk.random.NextInt(bytes.Length + 1)]); // It crashed in the middle of the write.
                    throw;
                }

                if (disk.Capacity == long.MaxValue)
                {
                    node.Bytes.AddRange(bytes);
                    Length += bytes.Length;
                    return;
                }

                var free = disk.Capacity - disk.names.Values.Distinct().Sum(n => (long)n.Bytes.Count);
                node.Bytes.AddRange(bytes[..(int)Math.Clamp(free, 0, bytes.Length)]);
                Length += bytes.Length;
                if (free < bytes.Length)
                {
                    throw new IOException("No space left on device.");
                }
            }
        }

        public void Sync()
        {
            disk.BeforeSync?.Invoke();
            lock (disk.gate)
            {
                disk.Operate();
                disk.Syncs++;
                disk.FailIfDue(node);
                node.Sync();
            }
        }

        public void Dispose()
        {
        }
    }
}

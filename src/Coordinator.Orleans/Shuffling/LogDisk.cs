using System.Text;
using Federated.Coordinator.Storage;
using Federated.Shuffler.Storage;

namespace Federated.Coordinator.Orleans.Shuffling;

/// <summary>The few files of a shuffler in a log of a store that several processes share: whoever opened it last writes, and nobody beside it.</summary>
/// <remarks>
/// Files are in memory; what changes them is a record of the log, all that came since the last sync in one append. Another owner's append fences this one out for good, so that no
/// two processes can close a batch in two orders. When the store fails, the next operation reads the log again, since nobody knows what it has. A deleted file goes out of the log
/// at once, by a snapshot of the others: what has left is kept nowhere. Thread-safe; calls wait for the store. Memory and snapshot: all that is held.
/// </remarks>
internal sealed class LogDisk : IDisk
{
    private const byte AppendKind = 1, TruncateKind = 2, RenameKind = 3, DeleteKind = 4;
    private const int Form = 1;

    private readonly IRunLog log;
    private readonly Lock gate = new();
    private readonly List<ReadOnlyMemory<byte>> pending = [];
    private Dictionary<string, Content> files = new(StringComparer.Ordinal);
    private bool isBroken, mustErase;
    private int epoch;

    private LogDisk(IRunLog log) => this.log = log;

    /// <summary>Another process has taken the log over.</summary>
    public bool IsFenced { get; private set; }

    /// <summary>Takes the log over and reads it.</summary>
    /// <exception cref="StorageException">The store failed, or the log is damaged.</exception>
    public static async Task<LogDisk> OpenAsync(IRunLog log, CancellationToken cancellation)
    {
        var disk = new LogDisk(log);
        disk.Replay(await log.LoadAsync(cancellation).ConfigureAwait(false));
        return disk;
    }

    public IReadOnlyList<string> List(string folder) =>
        Do(() => (IReadOnlyList<string>)[.. files.Keys.Where(path => path.LastIndexOf('/') == folder.Length && path.StartsWith(folder, StringComparison.Ordinal)).Select(path => path[(folder.Length + 1)..]).Order(StringComparer.Ordinal)]);

    public bool Exists(string path) => Do(() => files.ContainsKey(path));

    public Stream OpenRead(string path) => Do(() => files.TryGetValue(path, out var content)
        ? new MemoryStream(content.Bytes, 0, content.Length, writable: false) // What is appended later lies behind its end, or in another array.
        : throw new IOException($"There is no {path}."));

    public IAppending OpenAppend(string path) => Do(() =>
    {
        if (!files.TryGetValue(path, out var content))
        {
            files.Add(path, content = new Content());
        }

        return new Appending(this, path, content, epoch);
    });

    public void Truncate(string path, long length) => Do(() =>
    {
        Change(TruncateKind, writer =>
        {
            writer.Write(path);
            writer.Write(length);
        });
        return Flush();
    });

    /// <summary>Nothing to do but to write what waits: after a failed append what is read here was read from the store.</summary>
    public void Rewrite(string path) => Do(Flush);

    public void Rename(string from, string to) => Do(() => Change(RenameKind, writer =>
    {
        writer.Write(from);
        writer.Write(to);
    }));

    public void Delete(string path) => Do(() => mustErase = Change(DeleteKind, writer => writer.Write(path)));

    public void SyncFolder(string folder) => Do(Flush);

    private T Do<T>(Func<T> act)
    {
        lock (gate)
        {
            if (IsFenced)
            {
                throw new IOException("Another process has taken this shuffler's log over.");
            }

            try
            {
                if (isBroken)
                {
                    Replay(log.LoadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult());
                }

                return act();
            }
            catch (FencedException e)
            {
                IsFenced = true;
                throw new IOException(e.Message, e);
            }
            catch (StorageException e)
            {
                isBroken = true;
                throw new IOException(e.Message, e);
            }
        }
    }

    private bool Change(byte kind, Action<BinaryWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(kind);
            write(writer);
        }

        var record = bytes.ToArray();
        pending.Add(record);
        if (kind != AppendKind)
        {
            Apply(record);
        }

        return true;
    }

    private bool Flush()
    {
        if (pending.Count == 0)
        {
            return true;
        }

        log.AppendAsync(log.NextSequence, pending, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        pending.Clear();
        if (mustErase)
        {
            log.SaveSnapshotAsync(log.NextSequence, Snapshot(), CancellationToken.None).AsTask().GetAwaiter().GetResult();
            mustErase = false;
        }

        return true;
    }

    private void Replay(RunHistory history)
    {
        (files, isBroken, mustErase) = (new Dictionary<string, Content>(StringComparer.Ordinal), false, false);
        pending.Clear();
        epoch++;
        if (history.Snapshot is { } snapshot)
        {
            using var reader = new BinaryReader(new MemoryStream(snapshot.ToArray(), writable: false));
            if (reader.ReadInt32() is var form && form != Form)
            {
                throw new CoordinatorException($"The shuffler's log is of form {form}, which this build does not know; use the build that wrote it.");
            }

            for (var left = reader.ReadInt32(); left > 0; left--)
            {
                var content = files[reader.ReadString()] = new Content();
                content.Append(reader.ReadBytes(reader.ReadInt32()));
            }
        }

        foreach (var record in history.Records)
        {
            Apply(record);
        }
    }

    private void Apply(ReadOnlyMemory<byte> record)
    {
        using var reader = new BinaryReader(new MemoryStream(record.ToArray(), writable: false));
        var (kind, path) = (reader.ReadByte(), reader.ReadString());
        switch (kind)
        {
            case AppendKind:
                if (!files.TryGetValue(path, out var content))
                {
                    files.Add(path, content = new Content());
                }

                content.Append(reader.ReadBytes(reader.ReadInt32()));
                break;
            case TruncateKind:
                files[path].Truncate(reader.ReadInt64());
                break;
            case RenameKind:
                files.Remove(path, out var moved);
                files[reader.ReadString()] = moved!;
                break;
            case DeleteKind:
                files.Remove(path);
                break;
            default:
                throw new CoordinatorException($"The shuffler's log holds a record of kind {kind}, which this build does not know; use the build that wrote it.");
        }
    }

    private byte[] Snapshot()
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(Form);
        writer.Write(files.Count);
        foreach (var (path, content) in files)
        {
            writer.Write(path);
            writer.Write(content.Length);
            writer.Write(content.Bytes, 0, content.Length);
        }

        writer.Flush();
        return bytes.ToArray();
    }

    private sealed class Content
    {
        public byte[] Bytes { get; private set; } = [];

        public int Length { get; private set; }

        public void Append(ReadOnlySpan<byte> more)
        {
            if (Bytes.Length - Length < more.Length)
            {
                var grown = new byte[Math.Max(checked(Length + more.Length), 2 * Bytes.Length)];
                Bytes.AsSpan(0, Length).CopyTo(grown);
                Bytes = grown;
            }

            more.CopyTo(Bytes.AsSpan(Length));
            Length += more.Length;
        }

        /// <summary>Into another array: a reader may still have this one.</summary>
        public void Truncate(long length) => (Bytes, Length) = (Bytes[..(int)length], (int)length);
    }

    private sealed class Appending(LogDisk disk, string path, Content content, int epoch) : IAppending
    {
        public long Length => content.Length;

        public void Append(ReadOnlySpan<byte> bytes)
        {
            var added = bytes.ToArray();
            disk.Do(() =>
            {
                ThrowIfOld();
                content.Append(added);
                return disk.Change(AppendKind, writer =>
                {
                    writer.Write(path);
                    writer.Write(added.Length);
                    writer.Write(added);
                });
            });
        }

        public void Sync() => disk.Do(() =>
        {
            ThrowIfOld();
            return disk.Flush();
        });

        public void Dispose()
        {
        }

        private void ThrowIfOld()
        {
            if (epoch != disk.epoch)
            {
                throw new IOException($"{path} was opened before the store failed.");
            }
        }
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Federated.Coordinator.Storage.Files;

/// <summary>A run's log in a folder of files: <c>log-SEQUENCE</c> (records from that sequence on) and <c>snapshot-SEQUENCE</c>.</summary>
/// <remarks>
/// Every file begins with a magic word that names its format. A snapshot is written aside, synced and renamed, so that it is whole or
/// absent; a new log file is begun at each, and what lies before the newest whole snapshot is deleted afterwards. A record cut off at the
/// end of the last log file is what a crash tore off: it is removed when the log is loaded. Anything else that does not check is damage
/// (<see cref="DamagedException"/>): it is refused, and no file is changed.
/// </remarks>
public sealed class FileRunLog : IRunLog
{
    private const int LargestKeptBuffer = 8 << 20;

    private const string LogPrefix = "log-", SnapshotPrefix = "snapshot-", Unfinished = ".new";

    private static readonly byte[] Magic = Encoding.ASCII.GetBytes("FEDLOG1\n");

    private readonly IFileSystem files;
    private readonly string folder;
    private ArrayBufferWriter<byte> group = new();
    private IAppendFile? current;
    private string currentPath = "";
    private bool loaded, broken;

    public FileRunLog(IFileSystem files, string folder)
    {
        ArgumentNullException.ThrowIfNull(files);
        (this.files, this.folder) = (files, folder);
    }

    public long NextSequence { get; private set; }

    public ValueTask<RunHistory> LoadAsync(CancellationToken cancellation)
    {
        try
        {
            return ValueTask.FromResult(Load());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"Reading the log '{folder}' failed: {e.Message} Mend the disk, or give the coordinator its files; nothing acknowledged is lost.", e);
        }
    }

    public ValueTask AppendAsync(long expected, IReadOnlyList<ReadOnlyMemory<byte>> records, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(records);
        ThrowUnlessUsable();
        if (expected != NextSequence)
        {
            throw new FencedException($"An append at {expected} came to a log whose next record is {NextSequence}; another host writes this run.");
        }

        ThrowIfTakenOver();

        // One write for the whole group, so that a crash cuts at most its end off, and one sync for all.
        group.ResetWrittenCount();
        for (var i = 0; i < records.Count; i++)
        {
            LogRecord.Encode(expected + i, records[i].Span, group);
        }

        Guard(() =>
        {
            current!.Append(group.WrittenSpan);
            current.Sync();
        });
        if (group.Capacity > LargestKeptBuffer)
        {
            group = new ArrayBufferWriter<byte>();
        }

        NextSequence += records.Count;
        return ValueTask.CompletedTask;
    }

    public ValueTask SaveSnapshotAsync(long sequence, ReadOnlyMemory<byte> snapshot, CancellationToken cancellation)
    {
        ThrowUnlessUsable();
        if (sequence != NextSequence)
        {
            throw new ArgumentException($"A snapshot is of the state after all {NextSequence} records, not after {sequence}.", nameof(sequence));
        }

        ThrowIfTakenOver();
        Guard(() =>
        {
            var name = Name(SnapshotPrefix, sequence);
            using (var file = files.OpenAppend(Path(name + Unfinished)))
            {
                file.Append(Magic);
                var record = new ArrayBufferWriter<byte>(LogRecord.HeaderLength + snapshot.Length);
                LogRecord.Encode(sequence, snapshot.Span, record);
                file.Append(record.WrittenSpan);
                file.Sync();
            }

            files.Rename(Path(name + Unfinished), Path(name));
            files.SyncFolder(folder);
            current?.Dispose();
            OpenForAppending(sequence);
            foreach (var old in Numbered(SnapshotPrefix).Where(s => s < sequence))
            {
                files.Delete(Path(Name(SnapshotPrefix, old)));
            }

            foreach (var old in Numbered(LogPrefix).Where(s => s < sequence))
            {
                files.Delete(Path(Name(LogPrefix, old)));
            }
        });
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        current?.Dispose();
        current = null;
        return ValueTask.CompletedTask;
    }

    private RunHistory Load()
    {
        var (snapshot, start) = NewestSnapshot();
        var records = new List<ReadOnlyMemory<byte>>();
        NextSequence = start;
        var logs = Numbered(LogPrefix);
        for (var i = 0; i < logs.Count; i++)
        {
            if (i + 1 < logs.Count && logs[i + 1] <= start)
            {
                continue; // Wholly before the snapshot.
            }

            ReadLog(logs[i], isLast: i == logs.Count - 1, start, records);
        }

        foreach (var name in files.List(folder).Where(n => n.EndsWith(Unfinished, StringComparison.Ordinal)))
        {
            files.Delete(Path(name));
        }

        loaded = true;
        OpenForAppending(logs.Count > 0 ? logs[^1] : start);
        return new RunHistory(snapshot, start, records);
    }

    private (ReadOnlyMemory<byte>? Snapshot, long Sequence) NewestSnapshot()
    {
        var sequences = Numbered(SnapshotPrefix);
        if (sequences.Count == 0)
        {
            return (null, 0);
        }

        // Renamed only when synced: a snapshot that does not check is damage, never a torn write.
        var name = Name(SnapshotPrefix, sequences[^1]);
        var bytes = ReadAll(name);
        if (!bytes.AsSpan().StartsWith(Magic) || !LogRecord.TryDecode(bytes.AsSpan(Magic.Length), out var sequence, out var payload)
            || sequence != sequences[^1])
        {
            throw new DamagedException($"Snapshot '{folder}/{name}' is damaged or of another format; restore the folder from a backup.");
        }

        return (payload.ToArray(), sequence);
    }

    private void ReadLog(long first, bool isLast, long start, List<ReadOnlyMemory<byte>> records)
    {
        var name = Name(LogPrefix, first);
        var bytes = ReadAll(name);
        var position = Magic.Length;
        if (isLast && bytes.Length <= Magic.Length && !bytes.AsSpan().SequenceEqual(Magic))
        {
            files.Truncate(Path(name), 0); // Torn while it was created: records come only after a synced magic word.
            return;
        }

        if (!bytes.AsSpan().StartsWith(Magic))
        {
            throw new DamagedException($"Log '{folder}/{name}' is damaged at its beginning, or of another format; restore the folder from a backup, or use the build that wrote it.");
        }

        var expected = first;
        while (position < bytes.Length)
        {
            if (!LogRecord.TryDecode(bytes.AsSpan(position), out var sequence, out var payload))
            {
                if (!isLast || LaterRecordChecks(bytes, position, expected))
                {
                    throw new DamagedException(
                        $"Log '{folder}/{name}' is damaged at byte {position} before records that are whole; restore the folder from a backup.");
                }

                files.Truncate(Path(name), position);
                break;
            }

            if (sequence != expected)
            {
                throw new DamagedException($"Log '{folder}/{name}' has record {sequence} where {expected} belongs; restore the folder from a backup.");
            }

            if (sequence >= start)
            {
                if (sequence != NextSequence)
                {
                    throw new DamagedException($"Record {NextSequence} of '{folder}' is missing; restore the folder from a backup.");
                }

                records.Add(payload.ToArray());
                NextSequence = sequence + 1;
            }

            expected++;
            position += LogRecord.HeaderLength + payload.Length;
        }
    }

    /// <summary>Whether a whole record with a later sequence follows a broken one: then it is damage in the middle, not a torn end.</summary>
    private static bool LaterRecordChecks(byte[] bytes, int position, long expected)
    {
        for (var at = position + 1; at + LogRecord.HeaderLength <= bytes.Length; at++)
        {
            // The sequence first: it rules nearly everything out that the checksum would have to be computed for.
            var sequence = BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at + 8));
            if (sequence > expected && sequence - expected < bytes.Length && LogRecord.TryDecode(bytes.AsSpan(at), out _, out _))
            {
                return true;
            }
        }

        return false;
    }

    private void OpenForAppending(long first)
    {
        var path = Path(Name(LogPrefix, first));
        current = files.OpenAppend(path);
        currentPath = path;
        if (current.Length == 0)
        {
            current.Append(Magic);
            current.Sync();
            files.SyncFolder(folder);
        }
    }

    /// <summary>
    /// A data folder belongs to one process. Should that rule be broken all the same, the file is longer than what was written here, or
    /// gone behind the other's snapshot.
    /// </summary>
    private void ThrowIfTakenOver()
    {
        if (!files.Exists(currentPath) || files.Length(currentPath) != current!.Length)
        {
            broken = true;
            throw new FencedException($"Another host writes the log '{folder}'; this one no longer knows the run's state.");
        }
    }

    /// <summary>After a failed write nobody knows what the medium holds: the log refuses to go on until it is loaded again.</summary>
    private void Guard(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e)
        {
            broken = true;
            throw new StorageException($"Writing the log '{folder}' failed: {e.Message} Free space or mend the disk, then restart: nothing acknowledged is lost.", e);
        }
    }

    private void ThrowUnlessUsable()
    {
        if (!loaded)
        {
            throw new InvalidOperationException("Load the log before writing to it.");
        }

        if (broken)
        {
            throw new StorageException($"The log '{folder}' failed before and must be loaded again.");
        }
    }

    private byte[] ReadAll(string name)
    {
        using var stream = files.OpenRead(Path(name));
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    private List<long> Numbered(string prefix) =>
        [.. files.List(folder)
            .Where(n => n.StartsWith(prefix, StringComparison.Ordinal) && !n.EndsWith(Unfinished, StringComparison.Ordinal))
            .Select(n => long.TryParse(n.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) ? sequence : throw new DamagedException(
                $"'{folder}/{n}' is no file of a log; take it out of the folder."))
            .Order()];

    private static string Name(string prefix, long sequence) => string.Create(CultureInfo.InvariantCulture, $"{prefix}{sequence:D19}");

    private string Path(string name) => $"{folder}/{name}";
}

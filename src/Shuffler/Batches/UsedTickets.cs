using System.Buffers;
using System.Text;
using Federated.Shuffler.Storage;

namespace Federated.Shuffler.Batches;

/// <summary>
/// The tickets that have been used, until they expire, and the batches that have left: so that no report counts twice and no batch leaves
/// twice, whatever is sent again and whenever the process dies.
/// </summary>
/// <remarks>One file, appended when a batch is over and rewritten when most of it has expired. 60 B of memory a ticket.</remarks>
internal sealed class UsedTickets : IDisposable
{
    private const string Folder = "used", Path = "used/tickets.log", NewPath = "used/tickets.new";
    private const byte FinishedKind = 1;

    /// <summary>How long a batch that left is remembered, so that the shuffler before this one may send it again.</summary>
    private const long BatchMemoryMilliseconds = 30L * 86_400_000;

    /// <summary>Bytes below which the file is not worth rewriting.</summary>
    private const int RewriteFrom = 1 << 20;

    /// <summary>Tickets in one record: a record has a largest size, and what is longer would be taken for a torn one.</summary>
    private const int TicketsARecord = 1 << 16;

    private readonly IDisk disk;
    private readonly Dictionary<(string Run, long Assignment), (long Expires, UInt128 Digest)> tickets = [];
    private readonly Dictionary<string, long> finished = new(StringComparer.Ordinal);
    private IAppending? file;
    private long rewriteAt = RewriteFrom;

    private UsedTickets(IDisk disk) => this.disk = disk;

    public static UsedTickets Open(IDisk disk)
    {
        var used = new UsedTickets(disk);
        if (disk.Exists(NewPath))
        {
            disk.Delete(NewPath); // Left over from a crash: the old one is whole.
        }

        if (disk.Exists(Path))
        {
            disk.Rewrite(Path);
            disk.SyncFolder(Folder);
            long sound, length;
            using (var stream = disk.OpenRead(Path))
            {
                length = stream.Length;
                sound = Frame.ReadAll(stream, (payload, _) => used.Read(payload));
            }

            if (sound < length)
            {
                disk.Truncate(Path, sound);
            }
        }

        return used;
    }

    public bool HasFinished(string batch) => finished.ContainsKey(batch);

    /// <summary>The digest of the report that came with a ticket; null when none did.</summary>
    public UInt128? DigestOf(string run, long assignment) => tickets.TryGetValue((run, assignment), out var used) ? used.Digest : null;

    /// <summary>Remembers in memory what a batch that is still there used.</summary>
    public void Note(string run, in Batch.Entry entry) => tickets[(run, entry.Assignment)] = (entry.Expires, entry.Digest);

    /// <summary>Remembers, durably, that a batch has left with its tickets.</summary>
    /// <param name="now">Unix milliseconds.</param>
    public void Finish(Batch batch, long now)
    {
        foreach (var entry in batch.Entries)
        {
            Note(batch.Terms.Run, entry);
        }

        finished[batch.Id] = now;
        var buffer = new ArrayBufferWriter<byte>();
        Frame.Write(Encode(batch.Id, now, [.. batch.Entries.Select(e => (batch.Terms.Run, e.Assignment, e.Expires, e.Digest))]), buffer);
        var isNew = file is null && !disk.Exists(Path);
        file ??= disk.OpenAppend(Path);
        file.Append(buffer.WrittenSpan);
        file.Sync();
        if (isNew)
        {
            disk.SyncFolder(Folder);
        }

        if (file.Length > rewriteAt)
        {
            Rewrite(now);
        }
    }

    public void Dispose() => file?.Dispose();

    private static byte[] Encode(string batch, long now, (string Run, long Assignment, long Expires, UInt128 Digest)[] entries)
    {
        using var payload = new MemoryStream();
        using (var writer = new BinaryWriter(payload, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(FinishedKind);
            writer.Write(batch);
            writer.Write(now);
            writer.Write(entries.Length);
            foreach (var (run, assignment, expires, digest) in entries)
            {
                writer.Write(run);
                writer.Write(assignment);
                writer.Write(expires);
                writer.Write((ulong)(digest >> 64));
                writer.Write((ulong)digest);
            }
        }

        return payload.ToArray();
    }

    private void Read(byte[] payload)
    {
        using var reader = new BinaryReader(new MemoryStream(payload));
        if (reader.ReadByte() != FinishedKind)
        {
            throw new ShufflerException($"{Path} holds a record that this build does not know; use the build that wrote it.");
        }

        var (batch, at) = (reader.ReadString(), reader.ReadInt64());
        if (batch.Length > 0)
        {
            finished[batch] = at;
        }

        for (var remaining = reader.ReadInt32(); remaining > 0; remaining--)
        {
            tickets[(reader.ReadString(), reader.ReadInt64())] = (reader.ReadInt64(), new UInt128(reader.ReadUInt64(), reader.ReadUInt64()));
        }
    }

    /// <summary>Leaves out what has expired: such tickets are refused for that alone.</summary>
    private void Rewrite(long now)
    {
        foreach (var key in tickets.Where(t => t.Value.Expires * 1000 < now).Select(t => t.Key).ToList())
        {
            tickets.Remove(key);
        }

        foreach (var id in finished.Where(f => f.Value + BatchMemoryMilliseconds < now).Select(f => f.Key).ToList())
        {
            finished.Remove(id);
        }

        var buffer = new ArrayBufferWriter<byte>();
        foreach (var (id, at) in finished)
        {
            Frame.Write(Encode(id, at, []), buffer);
        }

        using (var rewritten = disk.OpenAppend(NewPath))
        {
            rewritten.Append(buffer.WrittenSpan);
            foreach (var part in tickets.Select(t => (t.Key.Run, t.Key.Assignment, t.Value.Expires, t.Value.Digest)).Chunk(TicketsARecord))
            {
                buffer.ResetWrittenCount();
                Frame.Write(Encode("", now, part), buffer);
                rewritten.Append(buffer.WrittenSpan);
            }

            rewritten.Sync();
        }

        file?.Dispose();
        file = null;
        disk.Rename(NewPath, Path);
        disk.SyncFolder(Folder);
        file = disk.OpenAppend(Path);
        rewriteAt = Math.Max(RewriteFrom, 2 * file.Length);
    }
}

using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Federated.Privacy.Randomness;
using Federated.Protocol.Shuffling;
using Federated.Shuffler.Storage;

namespace Federated.Shuffler.Batches;

/// <summary>
/// One batch and its file, from its first report until somebody else has it. The file holds: what the batch is; each report; and once, how it
/// ended: the permutation and the signed header, or that it was dropped. After that nothing is added.
/// </summary>
/// <remarks>Reports stay on the disk; 50 B of memory for each. A batch that cannot be read back whole loses its torn tail, which nobody was told of.</remarks>
internal sealed class Batch
{
    private const byte OpenedKind = 1, ReportKind = 2, SealedKind = 3;

    /// <summary>Bytes from which on what was added is written, though not yet synced: a large group is not held in memory a second time.</summary>
    private const int WriteFrom = 4 << 20;

    private readonly IDisk disk;
    private readonly List<Entry> entries = [];
    private readonly Dictionary<int, int> perClient = [];
    private readonly ArrayBufferWriter<byte> pending = new();
    private IAppending? file;
    private int[] order = [];
    private long length;
    private bool isNew, isUnsynced;

    private Batch(IDisk disk, string id, ShuffleTicket terms, long windowEnds, bool isHandedOn) =>
        (this.disk, Id, Terms, WindowEnds, IsHandedOn) = (disk, id, terms, windowEnds, isHandedOn);

    /// <summary>Where batches lie.</summary>
    public const string Folder = "batches";

    public string Id { get; }

    /// <summary>What all its tickets agree in.</summary>
    public ShuffleTicket Terms { get; }

    /// <summary>Unix milliseconds.</summary>
    public long WindowEnds { get; }

    /// <summary>Whether another shuffler closed it.</summary>
    public bool IsHandedOn { get; }

    public int Count => entries.Count;

    public IReadOnlyList<Entry> Entries => entries;

    /// <summary>The header as it was signed; null while the batch is open.</summary>
    public byte[]? Header { get; private set; }

    public byte[] Signature { get; private set; } = [];

    public bool IsDropped { get; private set; }

    /// <summary>Bytes of every report in this batch.</summary>
    public int ReportBytes => ReportEnvelope.InnerBytes(Terms.ReportBytes, Terms.Hops);

    private string Path => PathOf(Id);

    public static string PathOf(string id) => $"{Folder}/{id}.log";

    /// <summary>A new batch; durable with its first <see cref="Flush"/>.</summary>
    public static Batch Create(IDisk disk, string id, ShuffleTicket terms, long windowEnds, bool isHandedOn)
    {
        var batch = new Batch(disk, id, terms, windowEnds, isHandedOn);
        using var payload = new MemoryStream();
        using (var writer = new BinaryWriter(payload, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(OpenedKind);
            writer.Write(windowEnds);
            writer.Write(isHandedOn);
            writer.Write(JsonSerializer.Serialize(terms, BatchJson.Default.ShuffleTicket));
        }

        Frame.Write(payload.ToArray(), batch.pending);
        return batch;
    }

    /// <returns>Null when the file holds nothing that anybody was told of.</returns>
    public static Batch? TryLoad(IDisk disk, string id)
    {
        Batch? batch = null;
        long sound, length;
        using (var stream = disk.OpenRead(PathOf(id)))
        {
            length = stream.Length;
            sound = Frame.ReadAll(stream, (payload, position) =>
            {
                using var reader = new BinaryReader(new MemoryStream(payload));
                switch (reader.ReadByte())
                {
                    case OpenedKind when batch is null:
                        var (windowEnds, isHandedOn) = (reader.ReadInt64(), reader.ReadBoolean());
                        batch = new Batch(disk, id, JsonSerializer.Deserialize(reader.ReadString(), BatchJson.Default.ShuffleTicket)!, windowEnds, isHandedOn);
                        break;
                    case ReportKind when batch is { Header: null }:
                        batch.Note(new Entry(reader.ReadInt64(), reader.ReadInt32(), reader.ReadInt64(), new UInt128(reader.ReadUInt64(), reader.ReadUInt64()), position + Entry.Bytes + 1));
                        break;
                    case SealedKind when batch is { Header: null }:
                        batch.IsDropped = reader.ReadBoolean();
                        batch.order = new int[reader.ReadInt32()];
                        for (var i = 0; i < batch.order.Length; i++)
                        {
                            batch.order[i] = reader.ReadInt32();
                        }

                        batch.Header = reader.ReadBytes(reader.ReadInt32());
                        batch.Signature = reader.ReadBytes(reader.ReadInt32());
                        break;
                    default:
                        throw new ShufflerException($"{PathOf(id)} holds a record that does not belong there; use the build that wrote it.");
                }
            });
        }

        if (batch is not null)
        {
            batch.length = sound;
            if (sound < length)
            {
                disk.Truncate(PathOf(id), sound);
            }
        }

        return batch;
    }

    /// <summary>Whether a client may add another report.</summary>
    public bool HasRoomFor(int client) => perClient.GetValueOrDefault(client) < Terms.ReportsPerClient;

    /// <summary>Adds a report; durable with the next <see cref="Flush"/>.</summary>
    public void Add(in HeldReport report)
    {
        Span<byte> head = stackalloc byte[1 + Entry.Bytes];
        head[0] = ReportKind;
        var entry = new Entry(report.Ticket.Assignment, report.Ticket.Client, report.Ticket.Expires, report.Digest, 0);
        entry.Write(head[1..]);
        var start = length + pending.WrittenCount;
        Frame.Write(head, report.Inner.Span, pending);
        Note(entry with { Offset = start + Frame.HeaderBytes + head.Length });
        if (pending.WrittenCount >= WriteFrom)
        {
            Write();
        }
    }

    /// <summary>Makes durable what was added.</summary>
    public void Flush()
    {
        Write();
        if (!isUnsynced)
        {
            return;
        }

        file!.Sync();
        if (isNew)
        {
            disk.SyncFolder(Folder);
        }

        (isNew, isUnsynced) = (false, false);
    }

    /// <summary>Ends the batch: fixes the order in which it leaves, for good, or that it never does.</summary>
    public void Close(bool isDropped, IRandomSource random, ECDsa key)
    {
        IsDropped = isDropped;
        order = isDropped ? [] : [.. Enumerable.Range(0, entries.Count)];
        random.Shuffle(order.AsSpan());
        var sorted = entries.OrderBy(e => e.Assignment).ToList();
        var header = new BatchHeader(
            Terms.Run, Terms.Batch, Id, [.. sorted.Select(e => e.Assignment)], [.. sorted.Select(e => e.Client)], order.Length, ReportBytes, DigestOfReports(), isDropped).Encode();
        var signature = BatchHeader.Sign(header, key);
        using var payload = new MemoryStream();
        using (var writer = new BinaryWriter(payload, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(SealedKind);
            writer.Write(isDropped);
            writer.Write(order.Length);
            foreach (var index in order)
            {
                writer.Write(index);
            }

            writer.Write(header.Length);
            writer.Write(header);
            writer.Write(signature.Length);
            writer.Write(signature);
        }

        Frame.Write(payload.ToArray(), pending);
        Flush();
        file?.Dispose();
        file = null;
        (Header, Signature) = (header, signature);
    }

    /// <summary>The reports in the order in which they leave, one buffer at a time.</summary>
    public void CopyReports(Action<ReadOnlySpan<byte>> take)
    {
        if (order.Length == 0)
        {
            return;
        }

        using var stream = disk.OpenRead(Path);
        var report = GC.AllocateUninitializedArray<byte>(ReportBytes);
        foreach (var index in order)
        {
            stream.Position = entries[index].Offset;
            stream.ReadExactly(report);
            take(report);
        }
    }

    /// <summary>As <see cref="CopyReports"/>, to a connection.</summary>
    public async Task CopyReportsAsync(Stream destination, CancellationToken cancellation)
    {
        if (order.Length == 0)
        {
            return;
        }

        await using var stream = disk.OpenRead(Path);
        var perWrite = Math.Max(1, (256 << 10) / ReportBytes);
        var buffer = GC.AllocateUninitializedArray<byte>(perWrite * ReportBytes);
        for (var i = 0; i < order.Length; i += perWrite)
        {
            var count = Math.Min(perWrite, order.Length - i);
            for (var j = 0; j < count; j++)
            {
                stream.Position = entries[order[i + j]].Offset;
                stream.ReadExactly(buffer, j * ReportBytes, ReportBytes);
            }

            await destination.WriteAsync(buffer.AsMemory(0, count * ReportBytes), cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Erases the batch.</summary>
    public void Delete()
    {
        file?.Dispose();
        file = null;
        disk.Delete(Path);
        disk.SyncFolder(Folder);
    }

    public void Release()
    {
        file?.Dispose();
        file = null;
    }

    private void Write()
    {
        if (pending.WrittenCount == 0)
        {
            return;
        }

        if (file is null)
        {
            isNew = !disk.Exists(Path);
            file = disk.OpenAppend(Path);
        }

        file.Append(pending.WrittenSpan);
        isUnsynced = true;
        length += pending.WrittenCount;
        pending.ResetWrittenCount();
    }

    private void Note(Entry entry)
    {
        entries.Add(entry);
        perClient[entry.Client] = perClient.GetValueOrDefault(entry.Client) + 1;
    }

    private string DigestOfReports()
    {
        Flush();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        CopyReports(report => hash.AppendData(report));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>A report in the file.</summary>
    /// <param name="Offset">Where its ciphertext begins.</param>
    public readonly record struct Entry(long Assignment, int Client, long Expires, UInt128 Digest, long Offset)
    {
        /// <summary>Bytes of an entry before its ciphertext.</summary>
        public const int Bytes = 8 + 4 + 8 + 16;

        public void Write(Span<byte> destination)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(destination, Assignment);
            System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(destination[8..], Client);
            System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(destination[12..], Expires);
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(destination[20..], (ulong)(Digest >> 64));
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(destination[28..], (ulong)Digest);
        }
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(ShuffleTicket))]
internal sealed partial class BatchJson : System.Text.Json.Serialization.JsonSerializerContext;

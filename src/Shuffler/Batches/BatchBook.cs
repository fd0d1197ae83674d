using System.Security.Cryptography;
using Federated.Privacy.Randomness;
using Federated.Protocol.Shuffling;
using Federated.Shuffler.Storage;

namespace Federated.Shuffler.Batches;

/// <summary>
/// All batches of a shuffler, durable at every step: a report that was answered for leaves in exactly one batch or in none, a batch leaves whole, in
/// one uniformly random order that is fixed before the first byte of it leaves, and never below its minimum.
/// </summary>
/// <remarks>
/// privacy.md §4.6. Steps: (1) reports are appended to their batches and synced, and only then answered; (2) at its target, or when its window ends
/// with the minimum there, a batch is closed: permutation, header and signature are synced; (3) it is sent as it is until somebody has it; (4) its
/// tickets are noted as used, synced; (5) its file is deleted. After a crash between any two, <see cref="Open"/> finds where it stood and the same
/// bytes leave again under the same id, which count once. One owner at a time; after an exception the book must be opened again: what it then
/// reads may never have been on the medium, after a sync that failed or a process that died before one, and is written and synced anew before anybody is
/// told that it is held.
/// </remarks>
public sealed class BatchBook : IDisposable
{
    private readonly IDisk disk;
    private readonly ECDsa key;
    private readonly BatchRules rules;
    private readonly TimeProvider clock;
    private readonly IRandomSource random;
    private readonly UsedTickets used;
    private readonly Dictionary<(string Run, string Batch), Batch> open = [];
    private readonly Dictionary<string, Batch> closed = new(StringComparer.Ordinal);

    private BatchBook(IDisk disk, ECDsa key, BatchRules rules, TimeProvider clock, IRandomSource random, UsedTickets used) =>
        (this.disk, this.key, this.rules, this.clock, this.random, this.used) = (disk, key, rules, clock, random, used);

    /// <summary>Batches that are closed and that nobody else has yet, by id.</summary>
    public IReadOnlyList<ClosedBatch> Outbox => [.. closed.Values.Select(b => new ClosedBatch(b))];

    /// <summary>Reports in batches that are open.</summary>
    public int Held => open.Values.Sum(b => b.Count);

    /// <summary>When the next window ends, in Unix milliseconds; null when none is open.</summary>
    public long? NextWindowEnd => open.Count == 0 ? null : open.Values.Min(b => b.WindowEnds);

    private long Now => clock.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Opens a book, as a crash or its last owner left it.</summary>
    /// <param name="key">Signs batches.</param>
    /// <param name="random">Of the permutations: cryptographic wherever privacy rests on it.</param>
    public static BatchBook Open(IDisk disk, ECDsa key, BatchRules rules, TimeProvider clock, IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(disk);
        var book = new BatchBook(disk, key, rules, clock, random, UsedTickets.Open(disk));
        var names = disk.List(Batch.Folder);
        foreach (var name in names)
        {
            disk.Rewrite($"{Batch.Folder}/{name}");
        }

        if (names.Count > 0)
        {
            disk.SyncFolder(Batch.Folder);
        }

        foreach (var name in names)
        {
            book.Load(name[..^".log".Length]);
        }

        foreach (var batch in book.open.Values.ToList())
        {
            book.CloseIfDue(batch);
        }

        return book;
    }

    /// <summary>Takes reports, all in one sync for each batch; they are durable when this returns.</summary>
    public ReportOutcome[] Take(IReadOnlyList<HeldReport> reports)
    {
        ArgumentNullException.ThrowIfNull(reports);
        var outcomes = new ReportOutcome[reports.Count];
        HashSet<Batch> touched = [];
        var now = Now;
        for (var i = 0; i < reports.Count; i++)
        {
            outcomes[i] = Take(reports[i], now, touched);
        }

        foreach (var batch in touched)
        {
            batch.Flush();
        }

        foreach (var batch in touched)
        {
            CloseIfDue(batch);
        }

        return outcomes;
    }

    /// <summary>Closes the batches whose windows have ended.</summary>
    public void EndWindows()
    {
        foreach (var batch in open.Values.ToList())
        {
            CloseIfDue(batch);
        }
    }

    /// <summary>Takes a batch that the shuffler before this one closed, with its envelope for this one taken off, and closes it in an order of its own.</summary>
    /// <param name="id">The id that it has for good.</param>
    /// <param name="terms">Of the batch; minimum, target and hops as they are here.</param>
    /// <param name="reports">In any order; assignments and clients are paired with them arbitrarily.</param>
    /// <returns>False when it came before.</returns>
    public bool TakeBatch(string id, ShuffleTicket terms, IReadOnlyList<HeldReport> reports)
    {
        ArgumentNullException.ThrowIfNull(reports);
        if (used.HasFinished(id) || closed.ContainsKey(id))
        {
            return false;
        }

        if (reports.Count < Math.Max(terms.Minimum, rules.MinBatch))
        {
            throw new ShufflerException($"The batch has {reports.Count} reports; this shuffler lets none through below {Math.Max(terms.Minimum, rules.MinBatch)}.");
        }

        var batch = Batch.Create(disk, id, terms, Now, isHandedOn: true);
        foreach (var report in reports)
        {
            batch.Add(report);
        }

        batch.Close(isDropped: false, random, key);
        closed.Add(id, batch);
        return true;
    }

    /// <summary>Somebody else has the batch, or nobody will ever take it: it is erased here, and its tickets stay used.</summary>
    public void Finish(string id)
    {
        if (closed.TryGetValue(id, out var batch))
        {
            used.Finish(batch, Now);
            batch.Delete();
            closed.Remove(id);
        }
    }

    public void Dispose()
    {
        foreach (var batch in open.Values)
        {
            batch.Release();
        }

        used.Dispose();
    }

    private void Load(string id)
    {
        if (used.HasFinished(id) || Batch.TryLoad(disk, id) is not { } batch || batch is { IsHandedOn: true, Header: null })
        {
            disk.Delete(Batch.PathOf(id)); // It has left; or nobody was told that it is here.
            disk.SyncFolder(Batch.Folder);
            return;
        }

        if (!batch.IsHandedOn)
        {
            foreach (var entry in batch.Entries)
            {
                used.Note(batch.Terms.Run, entry);
            }
        }

        if (batch.Header is not null)
        {
            closed.Add(id, batch);
        }
        else
        {
            open.Add((batch.Terms.Run, batch.Terms.Batch), batch);
        }
    }

    private ReportOutcome Take(in HeldReport report, long now, HashSet<Batch> touched)
    {
        var ticket = report.Ticket;
        if (used.DigestOf(ticket.Run, ticket.Assignment) is { } digest)
        {
            return digest == report.Digest ? ReportOutcome.Held : ReportOutcome.Replayed;
        }

        if (ticket.Expires * 1000 <= now)
        {
            return ReportOutcome.Expired;
        }

        if (ticket.Minimum < rules.MinBatch)
        {
            return ReportOutcome.BatchTooSmall;
        }

        if (report.Inner.Length != ReportEnvelope.InnerBytes(ticket.ReportBytes, ticket.Hops))
        {
            return ReportOutcome.WrongSize;
        }

        var name = (ticket.Run, ticket.Batch);
        if (open.TryGetValue(name, out var batch) && batch.Count >= batch.Terms.Target)
        {
            CloseFull(batch); // In this very group: the rest goes into the next one.
            batch = null;
        }

        if (batch is null)
        {
            batch = Batch.Create(disk, NewId(), ticket, now + (long)(ticket.WindowSeconds * 1000), isHandedOn: false);
            open.Add(name, batch);
        }

        if (!batch.Terms.IsOfTheSameBatch(ticket))
        {
            return ReportOutcome.OtherBatch;
        }

        if (!batch.HasRoomFor(ticket.Client))
        {
            return ReportOutcome.TooMany;
        }

        batch.Add(report);
        used.Note(ticket.Run, batch.Entries[^1]);
        touched.Add(batch);
        return ReportOutcome.Held;
    }

    private void CloseIfDue(Batch batch)
    {
        if (batch.Header is not null)
        {
            return;
        }

        if (batch.Count >= batch.Terms.Target)
        {
            CloseFull(batch);
        }
        else if (Now >= batch.WindowEnds)
        {
            Close(batch, isDropped: batch.Count < Math.Max(batch.Terms.Minimum, rules.MinBatch));
        }
    }

    private void CloseFull(Batch batch) => Close(batch, isDropped: batch.Count < Math.Max(batch.Terms.Minimum, rules.MinBatch));

    private void Close(Batch batch, bool isDropped)
    {
        batch.Close(isDropped, random, key);
        open.Remove((batch.Terms.Run, batch.Terms.Batch));
        closed.Add(batch.Id, batch);
    }

    private string NewId()
    {
        Span<byte> id = stackalloc byte[16];
        random.Fill(id);
        return Convert.ToHexStringLower(id);
    }
}

/// <summary>What a shuffler holds to, whatever a coordinator asks of it.</summary>
/// <param name="MinBatch">No batch below it leaves, and no ticket that asks for less is taken.</param>
public sealed record BatchRules(int MinBatch);

/// <summary>A batch that is on its way.</summary>
public sealed class ClosedBatch
{
    private readonly Batch batch;

    internal ClosedBatch(Batch batch) => this.batch = batch;

    public string Id => batch.Id;

    public string Run => batch.Terms.Run;

    public int Reports => batch.IsDropped ? 0 : batch.Count;

    /// <summary>Reports that were erased instead.</summary>
    public int Erased => batch.IsDropped ? batch.Count : 0;

    /// <summary><see cref="BatchHeader"/>, as it was signed.</summary>
    public ReadOnlyMemory<byte> Header => batch.Header;

    public ReadOnlyMemory<byte> Signature => batch.Signature;

    /// <summary>Bytes of the whole body.</summary>
    public long BodyBytes => 4L + batch.Header!.Length + ((long)Reports * batch.ReportBytes);

    /// <summary>Writes the whole body.</summary>
    public async Task WriteAsync(Stream destination, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(destination);
        var length = new byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(length, batch.Header!.Length);
        await destination.WriteAsync(length, cancellation).ConfigureAwait(false);
        await destination.WriteAsync(batch.Header, cancellation).ConfigureAwait(false);
        await batch.CopyReportsAsync(destination, cancellation).ConfigureAwait(false);
    }
}

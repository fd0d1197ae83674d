using System.Collections.Immutable;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>
/// A run whose every acknowledged event survives a crash at any instant: events are appended and synced before the machine sees them, and
/// what the machine decides is carried out afterwards; after a crash the same events lead to the same state, to the bit.
/// </summary>
/// <remarks>
/// Write-ahead: (1) the events of a group are appended to the log and synced; (2) the machine handles each; (3) accumulates and publishes
/// are carried out, and sections told; (4) when enough has come together since, the run is saved whole and the log behind dropped; (5) only
/// then does the caller get the effects, and may acknowledge. Whatever happens between two of these steps, <see cref="OpenAsync"/> repeats
/// the log and arrives at the same state. Large update blobs are stored by the caller before it posts the event that names them.
/// One caller at a time; after an exception the run is over for this object and must be opened again.
/// </remarks>
public sealed class DurableRun : IAsyncDisposable
{
    private readonly RunParts parts;
    private readonly IRunLog log;
    private readonly RunBlobs blobs;
    private readonly IBlobStore store;
    private readonly DurabilityOptions options;
    private readonly BlobReference? origin;
    private readonly IReadOnlyList<IRunSection> sections;
    private readonly SortedDictionary<int, VersionBlobs> versions = [];
    private readonly HashSet<int> pinned = [];

    /// <summary>Blobs of updates folded in since the run was last saved: replay reads them again.</summary>
    private readonly HashSet<string> forReplay = new(StringComparer.Ordinal);

    /// <summary>Blobs that the newest snapshot names: a crash goes back to it, however far the run has come since.</summary>
    private HashSet<string> inSnapshot = new(StringComparer.Ordinal);
    private readonly MemoryStream encoded = new();
    private readonly BinaryWriter writer;
    private BlobReference? state;
    private int savedVersion = -1;
    private double savedAt;
    private long replayBytes;
    private int trimAt;
    private bool broken;

    private DurableRun(
        RunParts parts, IRunLog log, RunBlobs blobs, IBlobStore store, DurabilityOptions options, BlobReference? origin, IReadOnlyList<IRunSection> sections)
    {
        (this.parts, this.log, this.blobs, this.store, this.options, this.origin, this.sections) = (parts, log, blobs, store, options, origin, sections);
        writer = new BinaryWriter(encoded);
    }

    /// <summary>The run's state; read it between posts only.</summary>
    public RunMachine Machine => parts.Machine;

    /// <summary>What the run was made of.</summary>
    public RunParts Parts => parts;

    /// <summary>The versions that can be had; the last is the current one. Immutable once given.</summary>
    public ImmutableSortedDictionary<int, VersionBlobs> Versions { get; private set; } = ImmutableSortedDictionary<int, VersionBlobs>.Empty;

    /// <summary>What the host must do again after opening: arm deadlines. Empty for a new run.</summary>
    public IReadOnlyList<RunEffect> Recovered { get; private set; } = [];

    /// <summary>Sequence number of the next event.</summary>
    public long NextSequence => log.NextSequence;

    /// <summary>Times that the run was saved whole since it was opened.</summary>
    public long Saves { get; private set; }

    /// <summary>Opens a run: a new one at its beginning, any other as its log left it.</summary>
    /// <param name="parts">Fresh parts.</param>
    /// <param name="memory">Shared by the runs of this process.</param>
    /// <param name="origin">Parameters that version 0 starts from instead of its own: those of another run's version.</param>
    /// <param name="sections">The host's own, beside those of <paramref name="parts"/>.</param>
    public static async ValueTask<DurableRun> OpenAsync(
        RunParts parts,
        IRunLog log,
        IBlobStore store,
        MemoryBlobs memory,
        DurabilityOptions options,
        CancellationToken cancellation,
        BlobReference? origin = null,
        IReadOnlyList<IRunSection>? sections = null)
    {
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(options);
        var run = new DurableRun(parts, log, new RunBlobs(memory, store, options.InlineBytes), store, options, origin, [.. parts.Sections, .. sections ?? []]);
        try
        {
            await run.LoadAsync(cancellation).ConfigureAwait(false);
            return run;
        }
        catch
        {
            await run.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Makes events durable, then lets the machine handle them, in order.</summary>
    /// <returns>The effects of each event; the caller delivers those that are for clients and timers.</returns>
    /// <exception cref="StorageException">The store failed; nothing of this group may be acknowledged, and the run must be opened again.</exception>
    public async ValueTask<IReadOnlyList<IReadOnlyList<RunEffect>>> PostAsync(IReadOnlyList<LoggedEvent> events, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(events);
        if (broken)
        {
            throw new StorageException("The run failed before and must be opened again.");
        }

        broken = true; // Until it is known to have gone well.
        await log.AppendAsync(log.NextSequence, Encode(events), cancellation).ConfigureAwait(false);
        var effects = new IReadOnlyList<RunEffect>[events.Count];
        for (var i = 0; i < events.Count; i++)
        {
            effects[i] = await HandleAsync(events[i], cancellation).ConfigureAwait(false);
        }

        if (IsDueForSaving)
        {
            await SaveAsync(cancellation).ConfigureAwait(false);
        }

        Trim();
        broken = false;
        return effects;
    }

    /// <summary>Saves the run whole, so that opening it has nothing to repeat.</summary>
    public async ValueTask SaveAsync(CancellationToken cancellation)
    {
        Prune();
        foreach (var blob in versions.Values.SelectMany(v => v.All))
        {
            await blobs.PersistAsync(blob, cancellation).ConfigureAwait(false);
        }

        state = await parts.Model.SaveStateAsync(store, cancellation).ConfigureAwait(false);
        var saved = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var section in sections)
        {
            saved.Add(section.Name, Bytes(section.Save));
        }

        var inline = new Dictionary<string, InlineBlob>(StringComparer.Ordinal);
        foreach (var blob in Machine.Unpublished.SelectMany(u => BlobsOf(u.Report)))
        {
            if (blobs.TryGetHeld(blob.Sha256, out var bytes))
            {
                inline.TryAdd(blob.Sha256, new InlineBlob(blob, bytes));
            }
        }

        var snapshot = new RunSnapshot(Bytes(Machine.Save), versions, state, [.. inline.Values], saved).Encode();
        await log.SaveSnapshotAsync(log.NextSequence, snapshot, cancellation).ConfigureAwait(false);
        (savedVersion, savedAt, replayBytes) = (Machine.Version, Machine.Now, 0);
        forReplay.Clear();
        inSnapshot = Named();
        Saves++;
    }

    /// <summary>Keeps a version that would otherwise be forgotten, until <see cref="Unpin"/>.</summary>
    public void Pin(int version) => pinned.Add(version);

    public void Unpin(int version) => pinned.Remove(version);

    /// <summary>The digests of all blobs in the store that this run still needs; a sweep over several runs takes their union.</summary>
    public IReadOnlySet<string> ReferencedBlobs()
    {
        var referenced = Named();
        referenced.UnionWith(forReplay);
        referenced.UnionWith(inSnapshot);
        if (origin is not null)
        {
            referenced.Add(origin.Sha256);
        }

        return referenced;
    }

    public async ValueTask DisposeAsync()
    {
        broken = true;
        blobs.Keep(ImmutableHashSet<string>.Empty);
        await log.DisposeAsync().ConfigureAwait(false);
        await writer.DisposeAsync().ConfigureAwait(false);
    }

    private static IEnumerable<BlobReference> BlobsOf(UpdateReport report) => report.Extras.Values.Append(report.Delta).OfType<BlobReference>();

    private static byte[] Bytes(Action<BinaryWriter> save)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        save(writer);
        writer.Flush();
        return bytes.ToArray();
    }

    /// <summary>The blobs that the run's present state names.</summary>
    private HashSet<string> Named()
    {
        var named = versions.Values.SelectMany(v => v.All).Select(b => b.Sha256).ToHashSet(StringComparer.Ordinal);
        named.UnionWith(Machine.Unpublished.SelectMany(u => BlobsOf(u.Report)).Select(b => b.Sha256));
        named.UnionWith(sections.SelectMany(s => s.Blobs).Select(b => b.Sha256));
        if (state is not null)
        {
            named.Add(state.Sha256);
        }

        return named;
    }

    private bool IsDueForSaving => replayBytes >= options.ReplayBytes
        || (Machine.Version != savedVersion && Machine.Now - savedAt >= options.ReplaySeconds)
        || (Machine.Status == RunStatus.Finished && Machine.Version != savedVersion);

    private ReadOnlyMemory<byte>[] Encode(IReadOnlyList<LoggedEvent> events)
    {
        encoded.SetLength(0);
        var ends = new int[events.Count];
        for (var i = 0; i < events.Count; i++)
        {
            events[i].Write(writer);
            writer.Flush();
            ends[i] = (int)encoded.Length;
        }

        replayBytes += encoded.Length;
        var bytes = encoded.GetBuffer().AsMemory(0, (int)encoded.Length);
        var records = new ReadOnlyMemory<byte>[events.Count];
        for (var i = 0; i < records.Length; i++)
        {
            records[i] = bytes[(i == 0 ? 0 : ends[i - 1])..ends[i]];
        }

        return records;
    }

    private async ValueTask LoadAsync(CancellationToken cancellation)
    {
        var history = await log.LoadAsync(cancellation).ConfigureAwait(false);
        if (history.Snapshot is { } snapshot)
        {
            await RestoreAsync(RunSnapshot.Decode(snapshot), cancellation).ConfigureAwait(false);
        }
        else
        {
            if (origin is not null)
            {
                var start = new VersionBlobs(origin, ImmutableSortedDictionary<string, BlobReference>.Empty, origin);
                await parts.Model.LoadAsync(0, start, null, blobs, cancellation).ConfigureAwait(false);
            }

            versions[0] = await parts.Model.SaveVersionAsync(blobs, cancellation).ConfigureAwait(false);
            if (log.NextSequence == 0 && sections.Any(section => section.HoldsSecret))
            {
                await SaveAsync(cancellation).ConfigureAwait(false);
            }
        }

        foreach (var record in history.Records)
        {
            replayBytes += record.Length;
            await HandleAsync(LoggedEvent.Read(record), cancellation).ConfigureAwait(false);
        }

        trimAt = 0;
        Trim();
        if (log.NextSequence > 0)
        {
            List<RunEffect> recovered = [];
            Machine.Recover(recovered);
            Recovered = [.. recovered.Where(e => e is not Accumulate)];
        }
    }

    private async ValueTask RestoreAsync(RunSnapshot snapshot, CancellationToken cancellation)
    {
        using (var reader = new BinaryReader(new ReadOnlyMemoryStream(snapshot.Machine)))
        {
            Machine.Load(reader);
        }

        foreach (var (version, saved) in snapshot.Versions)
        {
            versions[version] = saved;
        }

        foreach (var (reference, bytes) in snapshot.Inline)
        {
            blobs.Put(reference, bytes);
        }

        foreach (var (name, bytes) in snapshot.Sections)
        {
            var section = sections.FirstOrDefault(s => s.Name == name) ?? throw new CoordinatorException(
                $"The run's snapshot has state of '{name}', which neither its configuration nor this build knows; use the build that wrote it.");
            using var reader = new BinaryReader(new ReadOnlyMemoryStream(bytes));
            section.Load(reader);
        }

        state = snapshot.State;
        (savedVersion, savedAt) = (Machine.Version, Machine.Now);
        inSnapshot = Named();
        await parts.Model.LoadAsync(Machine.Version, versions[Machine.Version], state, blobs, cancellation).ConfigureAwait(false);
        foreach (var accumulate in Machine.OpenAggregate)
        {
            await parts.Model.AccumulateAsync(accumulate, BaseOf(accumulate), blobs, cancellation).ConfigureAwait(false);
        }
    }

    private async ValueTask<List<RunEffect>> HandleAsync(LoggedEvent logged, CancellationToken cancellation)
    {
        foreach (var (reference, bytes) in logged.Inline)
        {
            blobs.Put(reference, bytes);
        }

        List<RunEffect> effects = [];
        Machine.Handle(logged.Event, effects);
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case Accumulate accumulate:
                    await parts.Model.AccumulateAsync(accumulate, BaseOf(accumulate), blobs, cancellation).ConfigureAwait(false);
                    foreach (var blob in BlobsOf(accumulate.Report).Where(b => !blobs.TryGetHeld(b.Sha256, out _)))
                    {
                        forReplay.Add(blob.Sha256);
                        replayBytes += blob.Length;
                    }

                    break;
                case Publish publish:
                    parts.Model.Publish(publish);
                    versions[publish.Version] = await parts.Model.SaveVersionAsync(blobs, cancellation).ConfigureAwait(false);
                    trimAt = 0;
                    break;
            }
        }

        foreach (var section in sections)
        {
            section.Apply(logged, effects);
        }

        return effects;
    }

    private BlobReference? BaseOf(Accumulate accumulate) =>
        accumulate is { Basis: DeltaBasis.CurrentVersion, Staleness: > 0 } ? versions[accumulate.Assignment.BaseVersion].Model : null;

    /// <summary>Forgets old versions, and small updates that are in one.</summary>
    private void Trim()
    {
        if (blobs.HeldInMemory < trimAt)
        {
            return;
        }

        Prune();
        var needed = versions.Values.SelectMany(v => v.All)
            .Concat(Machine.Unpublished.SelectMany(u => BlobsOf(u.Report)))
            .Select(b => b.Sha256).ToHashSet(StringComparer.Ordinal);
        blobs.Keep(needed);
        trimAt = (2 * blobs.HeldInMemory) + 256;
        Versions = versions.ToImmutableSortedDictionary();
    }

    /// <summary>Forgets old versions that nobody trains from.</summary>
    private void Prune()
    {
        var last = Machine.Version - options.KeepLast;
        if (versions.Count == 0 || versions.Keys.First() >= last)
        {
            return;
        }

        var needed = Machine.Assignments.Select(a => a.BaseVersion).Concat(Machine.Unpublished.Select(u => u.Assignment.BaseVersion)).ToHashSet();
        foreach (var version in versions.Keys.TakeWhile(v => v < last).ToList())
        {
            var isKept = needed.Contains(version) || pinned.Contains(version) || version == Machine.BestVersion
                || version == Machine.LastEvaluationRequested || (options.KeepEvery > 0 && version % options.KeepEvery == 0);
            if (!isKept)
            {
                versions.Remove(version);
            }
        }
    }
}

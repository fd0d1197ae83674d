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
public sealed partial class DurableRun : IAsyncDisposable
{
    private readonly RunParts parts;
    private readonly IRunLog log;
    private readonly RunBlobs blobs;
    private readonly IBlobStore store;
    private readonly DurabilityOptions options;
    private readonly RunOrigin? origin;
    private readonly IReadOnlyList<IRunSection> sections;
    private readonly HashSet<int> pinned = [];
    private readonly List<IReadOnlyList<RunFact>> observed = [];

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
    private ImmutableSortedDictionary<int, VersionBlobs> versions = ImmutableSortedDictionary<int, VersionBlobs>.Empty;
    private int trimAt, pruneAt;
    private bool broken;

    private DurableRun(
        RunParts parts, IRunLog log, RunBlobs blobs, IBlobStore store, DurabilityOptions options, RunOrigin? origin, IReadOnlyList<IRunSection> sections)
    {
        (this.parts, this.log, this.blobs, this.store, this.options, this.origin, this.sections) = (parts, log, blobs, store, options, origin, sections);
        writer = new BinaryWriter(encoded);
    }

    /// <summary>The run's state; read it between posts only.</summary>
    public RunMachine Machine => parts.Machine;

    /// <summary>What the run was made of.</summary>
    public RunParts Parts => parts;

    /// <summary>The versions that can be had; the last is the current one. Immutable once given.</summary>
    public ImmutableSortedDictionary<int, VersionBlobs> Versions => versions;

    /// <summary>What the newest snapshot holds beside parameters; null when no other run could go on from it.</summary>
    public SavedState? Saved => state is not null && parts.Model.Optimizer is { Length: > 0 } optimizer ? new SavedState(savedVersion, optimizer, state) : null;

    /// <summary>What the host must do again after opening: arm deadlines. Empty for a new run.</summary>
    public IReadOnlyList<RunEffect> Recovered { get; private set; } = [];

    /// <summary>Sequence number of the next event.</summary>
    public long NextSequence => log.NextSequence;

    /// <summary>Times that the run was saved whole since it was opened.</summary>
    public long Saves { get; private set; }

    /// <summary>What could be seen of each of the events posted last.</summary>
    public IReadOnlyList<IReadOnlyList<RunFact>> Observed => observed;

    /// <summary>Opens a run: a new one at its beginning, any other as its log left it.</summary>
    /// <param name="parts">Fresh parts.</param>
    /// <param name="memory">Shared by the runs of this process.</param>
    /// <param name="origin">The version of another run that version 0 starts from instead of its own parameters.</param>
    /// <param name="sections">The host's own, beside those of <paramref name="parts"/>.</param>
    /// <param name="hasBegun">Whether the log must hold something: one that holds nothing is then gone, and what it knew of budgets with it.</param>
    /// <exception cref="DamagedException">What is stored of the run cannot be what was written.</exception>
    public static async ValueTask<DurableRun> OpenAsync(
        RunParts parts,
        IRunLog log,
        IBlobStore store,
        MemoryBlobs memory,
        DurabilityOptions options,
        CancellationToken cancellation,
        RunOrigin? origin = null,
        IReadOnlyList<IRunSection>? sections = null,
        bool hasBegun = false)
    {
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(options);
        var run = new DurableRun(parts, log, new RunBlobs(memory, store, options.VersionsInMemory ? options.InlineBytes : 0), store, options, origin, [.. parts.Sections, .. sections ?? []]);
        try
        {
            await run.LoadAsync(hasBegun, cancellation).ConfigureAwait(false);
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
        RequireSound();
        broken = true; // Until it is known to have gone well.
        observed.Clear();
        await log.AppendAsync(log.NextSequence, Encode(events), cancellation).ConfigureAwait(false);
        var effects = new IReadOnlyList<RunEffect>[events.Count];
        for (var i = 0; i < events.Count; i++)
        {
            effects[i] = await HandleAsync(events[i], cancellation).ConfigureAwait(false);
            observed.Add(parts.Observer?.Take() ?? []);
        }

        if (IsDueForSaving)
        {
            await SaveWholeAsync(cancellation).ConfigureAwait(false);
        }

        Trim();
        broken = false;
        return effects;
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
            referenced.Add(origin.Model.Sha256);
            referenced.UnionWith(origin.Optimizer is { } state ? [state.Sha256] : []);
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

    /// <summary>What failed halfway may have reached the machine and not the model: neither more events nor a snapshot may be built on it.</summary>
    private void RequireSound()
    {
        if (broken)
        {
            throw new StorageException("The run failed before and must be opened again.");
        }
    }

    private static IEnumerable<BlobReference> BlobsOf(UpdateReport report) => report.Extras.Values.Append(report.Delta).OfType<BlobReference>();

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
                    versions = versions.SetItem(publish.Version, await parts.Model.SaveVersionAsync(blobs, cancellation).ConfigureAwait(false));
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

}

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
/// are carried out; (4) with a new version its model and a snapshot are stored, and the log behind is dropped; (5) only then does the
/// caller get the effects, and may acknowledge. Whatever happens between two of these steps, <see cref="OpenAsync"/> repeats the log and
/// arrives at the same state. Update blobs are stored by the caller before it posts the event that names them.
/// One caller at a time.
/// </remarks>
public sealed class DurableRun : IAsyncDisposable
{
    private readonly IRunLog log;
    private readonly IBlobStore blobs;
    private readonly IRunModel model;
    private readonly int keepVersions;
    private readonly SortedDictionary<int, BlobReference> versions = [];
    private BlobReference? state;
    private int snapshotVersion;

    private DurableRun(RunMachine machine, IRunModel model, IRunLog log, IBlobStore blobs, int keepVersions) =>
        (Machine, this.model, this.log, this.blobs, this.keepVersions) = (machine, model, log, blobs, keepVersions);

    /// <summary>The run's state; read it between posts only.</summary>
    public RunMachine Machine { get; }

    /// <summary>The models that can be had, by version; the last is the current one.</summary>
    public IReadOnlyDictionary<int, BlobReference> Versions => versions;

    /// <summary>What the host must do again after opening: arm deadlines. Empty for a new run.</summary>
    public IReadOnlyList<RunEffect> Recovered { get; private set; } = [];

    /// <summary>Opens a run: a new one at its beginning, any other as its log left it.</summary>
    /// <param name="machine">A fresh machine with the run's options and scheduler.</param>
    /// <param name="model">A fresh model at version 0.</param>
    /// <param name="keepVersions">Models of old versions to keep beyond those in use; the current and the best are always kept.</param>
    public static async ValueTask<DurableRun> OpenAsync(
        RunMachine machine, IRunModel model, IRunLog log, IBlobStore blobs, int keepVersions, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(log);
        var run = new DurableRun(machine, model, log, blobs, keepVersions);
        var history = await log.LoadAsync(cancellation).ConfigureAwait(false);
        if (history.Snapshot is { } encoded)
        {
            await run.RestoreAsync(RunSnapshot.Decode(encoded), cancellation).ConfigureAwait(false);
        }
        else
        {
            run.versions[0] = await model.SaveModelAsync(blobs, cancellation).ConfigureAwait(false);
        }

        List<RunEffect> effects = [];
        foreach (var record in history.Records)
        {
            using var reader = new BinaryReader(new MemoryStream(record.ToArray()));
            effects.Clear();
            machine.Handle(reader.ReadEvent(), effects);
            await run.CarryOutAsync(effects, cancellation).ConfigureAwait(false);
        }

        await run.SaveIfPublishedAsync(cancellation).ConfigureAwait(false);
        if (log.NextSequence > 0)
        {
            List<RunEffect> recovered = [];
            machine.Recover(recovered);
            run.Recovered = [.. recovered.Where(e => e is not Accumulate)];
        }

        return run;
    }

    /// <summary>Makes events durable, then lets the machine handle them, in order.</summary>
    /// <returns>The effects of each event; the caller delivers those that are for clients and timers.</returns>
    /// <exception cref="StorageException">The store failed; nothing of this group may be acknowledged, and the run must be opened again.</exception>
    public async ValueTask<IReadOnlyList<IReadOnlyList<RunEffect>>> PostAsync(IReadOnlyList<RunEvent> events, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(events);
        var records = new ReadOnlyMemory<byte>[events.Count];
        for (var i = 0; i < events.Count; i++)
        {
            using var bytes = new MemoryStream();
            using var writer = new BinaryWriter(bytes);
            writer.WriteEvent(events[i]);
            writer.Flush();
            records[i] = bytes.ToArray();
        }

        await log.AppendAsync(log.NextSequence, records, cancellation).ConfigureAwait(false);
        var effects = new IReadOnlyList<RunEffect>[events.Count];
        for (var i = 0; i < events.Count; i++)
        {
            List<RunEffect> ofEvent = [];
            Machine.Handle(events[i], ofEvent);
            await CarryOutAsync(ofEvent, cancellation).ConfigureAwait(false);
            effects[i] = ofEvent;
        }

        await SaveIfPublishedAsync(cancellation).ConfigureAwait(false);
        return effects;
    }

    /// <summary>The digests of all blobs that this run still needs; a sweep over several runs takes their union.</summary>
    public IReadOnlySet<string> ReferencedBlobs()
    {
        var referenced = versions.Values.Select(v => v.Sha256).ToHashSet(StringComparer.Ordinal);
        foreach (var (_, report) in Machine.Unpublished)
        {
            referenced.UnionWith(report.Extras.Values.Append(report.Delta).OfType<BlobReference>().Select(b => b.Sha256));
        }

        if (state is not null)
        {
            referenced.Add(state.Sha256);
        }

        return referenced;
    }

    public ValueTask DisposeAsync() => log.DisposeAsync();

    private async ValueTask RestoreAsync(RunSnapshot snapshot, CancellationToken cancellation)
    {
        using (var reader = new BinaryReader(new MemoryStream(snapshot.Machine)))
        {
            Machine.Load(reader);
        }

        foreach (var (version, blob) in snapshot.Versions)
        {
            versions[version] = blob;
        }

        state = snapshot.State;
        snapshotVersion = Machine.Version;
        await model.LoadAsync(Machine.Version, versions[Machine.Version], state, blobs, cancellation).ConfigureAwait(false);
        foreach (var accumulate in Machine.OpenAggregate)
        {
            await model.AccumulateAsync(accumulate, BaseOf(accumulate), blobs, cancellation).ConfigureAwait(false);
        }
    }

    private async ValueTask CarryOutAsync(List<RunEffect> effects, CancellationToken cancellation)
    {
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case Accumulate accumulate:
                    await model.AccumulateAsync(accumulate, BaseOf(accumulate), blobs, cancellation).ConfigureAwait(false);
                    break;
                case Publish publish:
                    model.Publish(publish);
                    versions[publish.Version] = await model.SaveModelAsync(blobs, cancellation).ConfigureAwait(false);
                    break;
            }
        }
    }

    private BlobReference? BaseOf(Accumulate accumulate) =>
        accumulate is { Basis: DeltaBasis.CurrentVersion, Staleness: > 0 } ? versions[accumulate.Assignment.BaseVersion] : null;

    private async ValueTask SaveIfPublishedAsync(CancellationToken cancellation)
    {
        if (Machine.Version == snapshotVersion)
        {
            return;
        }

        Prune();
        state = await model.SaveStateAsync(blobs, cancellation).ConfigureAwait(false);
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        Machine.Save(writer);
        writer.Flush();
        var snapshot = new RunSnapshot(bytes.ToArray(), versions, state).Encode();
        await log.SaveSnapshotAsync(log.NextSequence, snapshot, cancellation).ConfigureAwait(false);
        snapshotVersion = Machine.Version;
    }

    /// <summary>Forgets old versions that nobody trains from.</summary>
    private void Prune()
    {
        var needed = Machine.Assignments.Select(a => a.BaseVersion).Concat(Machine.Unpublished.Select(u => u.Assignment.BaseVersion)).ToHashSet();
        foreach (var version in versions.Keys.Where(v => v < Machine.Version - keepVersions && v != Machine.BestVersion && !needed.Contains(v)).ToList())
        {
            versions.Remove(version);
        }
    }
}

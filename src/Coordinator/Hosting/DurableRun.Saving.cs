using System.Collections.Immutable;
using Federated.Aggregation;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <content>The run as a whole: saved, loaded, and rid of what nobody needs any more.</content>
public sealed partial class DurableRun
{
    /// <summary>Saves the run whole, so that opening it has nothing to repeat.</summary>
    /// <exception cref="StorageException">The store failed, now or before: the run must be opened again.</exception>
    public async ValueTask SaveAsync(CancellationToken cancellation)
    {
        RequireSound();
        broken = true; // Until it is known to have gone well.
        await SaveWholeAsync(cancellation).ConfigureAwait(false);
        broken = false;
    }

    private async ValueTask SaveWholeAsync(CancellationToken cancellation)
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

    private static byte[] Bytes(Action<BinaryWriter> save)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        save(writer);
        writer.Flush();
        return bytes.ToArray();
    }

    private bool IsDueForSaving => replayBytes >= options.ReplayBytes
        || (Machine.Version != savedVersion && Machine.Now - savedAt >= options.ReplaySeconds)
        || (Machine.Status == RunStatus.Finished && Machine.Version != savedVersion);

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

    private async ValueTask LoadAsync(bool hasBegun, CancellationToken cancellation)
    {
        var history = await log.LoadAsync(cancellation).ConfigureAwait(false);
        if (hasBegun && log.NextSequence == 0 && history.Snapshot is null)
        {
            throw new DamagedException("The run's log is gone: the run has begun, and the store holds no record of it. Restore the log from a backup; a run that began anew would count what was spent as nothing.");
        }

        blobs.Verifies = true; // What the log is repeated over must be what it was written over.
        var next = history.SnapshotSequence;
        try
        {
            await RepeatAsync(history, () => next++, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is EndOfStreamException or AggregationException or FormatException or ArgumentException or InvalidDataException or OverflowException or KeyNotFoundException)
        {
            throw new DamagedException(
                $"{(next == history.SnapshotSequence ? "The run's snapshot" : $"Record {next - 1} of the run's log")} cannot be read: {e.Message} Restore the run from a backup.", e);
        }
        finally
        {
            blobs.Verifies = false;
        }

        Trim();
        if (log.NextSequence > 0)
        {
            List<RunEffect> recovered = [];
            Machine.Recover(recovered);
            Recovered = [.. recovered.Where(e => e is not Accumulate)];
        }
    }

    /// <param name="reading">Called before each record.</param>
    private async ValueTask RepeatAsync(RunHistory history, Action reading, CancellationToken cancellation)
    {
        if (history.Snapshot is { } snapshot)
        {
            await RestoreAsync(RunSnapshot.Decode(snapshot), cancellation).ConfigureAwait(false);
        }
        else
        {
            if (origin is not null)
            {
                var start = new VersionBlobs(origin.Model, ImmutableSortedDictionary<string, BlobReference>.Empty, origin.Model);
                await parts.Model.LoadAsync(0, start, null, blobs, cancellation).ConfigureAwait(false);
                if (origin.Optimizer is { } optimizer)
                {
                    await parts.Model.TakeOptimizerAsync(optimizer, blobs, cancellation).ConfigureAwait(false);
                }
            }

            versions = versions.SetItem(0, await parts.Model.SaveVersionAsync(blobs, cancellation).ConfigureAwait(false));
            if (log.NextSequence == 0 && sections.Any(section => section.HoldsSecret))
            {
                await SaveWholeAsync(cancellation).ConfigureAwait(false);
            }
        }

        foreach (var record in history.Records)
        {
            reading();
            replayBytes += record.Length;
            await HandleAsync(LoggedEvent.Read(record), cancellation).ConfigureAwait(false);
        }
    }

    private async ValueTask RestoreAsync(RunSnapshot snapshot, CancellationToken cancellation)
    {
        using (var reader = new BinaryReader(new ReadOnlyMemoryStream(snapshot.Machine)))
        {
            Machine.Load(reader);
        }

        versions = snapshot.Versions;
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
        foreach (var section in sections)
        {
            section.Restored();
        }

        foreach (var accumulate in Machine.OpenAggregate)
        {
            await parts.Model.AccumulateAsync(accumulate, BaseOf(accumulate), blobs, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Forgets old versions, and small updates that are in one.</summary>
    private void Trim()
    {
        // Both at times that follow the number of what is kept, so that a run that keeps all its versions is not slowed by them.
        if (versions.Count >= pruneAt)
        {
            Prune();
            pruneAt = versions.Count + 1 + (versions.Count / 8);
        }

        if (blobs.HeldInMemory < trimAt)
        {
            return;
        }

        var needed = versions.Values.SelectMany(v => v.All)
            .Concat(Machine.Unpublished.SelectMany(u => BlobsOf(u.Report)))
            .Select(b => b.Sha256).ToHashSet(StringComparer.Ordinal);
        blobs.Keep(needed);
        trimAt = (2 * blobs.HeldInMemory) + 256;
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
                versions = versions.Remove(version);
            }
        }
    }
}

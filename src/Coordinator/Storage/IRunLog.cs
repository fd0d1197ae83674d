namespace Federated.Coordinator.Storage;

/// <summary>
/// The durable history of one run: a snapshot, and the records after it. A record is durable when <see cref="AppendAsync"/> returns,
/// and never before anything that is acknowledged because of it.
/// </summary>
/// <remarks>One writer at a time. Two hosts of one run cannot fork it: appends carry the sequence number they expect, and the second is refused.</remarks>
public interface IRunLog : IAsyncDisposable
{
    /// <summary>Sequence number that the next record gets; the first is 0.</summary>
    long NextSequence { get; }

    /// <summary>Reads the newest snapshot and all records behind it. What a crash tore off the end is gone, as it was never acknowledged.</summary>
    /// <exception cref="DamagedException">The history is damaged in its middle, or of an unknown format; nothing was changed.</exception>
    /// <exception cref="StorageException">The store failed: it may go better another time.</exception>
    ValueTask<RunHistory> LoadAsync(CancellationToken cancellation);

    /// <summary>Appends records, all or none, and waits until they are durable.</summary>
    /// <param name="expected">The sequence number of the first of them.</param>
    /// <exception cref="FencedException">Somebody else appended meanwhile: this host no longer owns the run.</exception>
    ValueTask AppendAsync(long expected, IReadOnlyList<ReadOnlyMemory<byte>> records, CancellationToken cancellation);

    /// <summary>Makes a snapshot of the state after the records before <paramref name="sequence"/> durable, then forgets those records.</summary>
    ValueTask SaveSnapshotAsync(long sequence, ReadOnlyMemory<byte> snapshot, CancellationToken cancellation);
}

/// <summary>What a run's log holds.</summary>
/// <param name="Snapshot">The newest snapshot; null before the first.</param>
/// <param name="SnapshotSequence">Records before this one are in the snapshot.</param>
/// <param name="Records">The records from <paramref name="SnapshotSequence"/> on, in order.</param>
public sealed record RunHistory(ReadOnlyMemory<byte>? Snapshot, long SnapshotSequence, IReadOnlyList<ReadOnlyMemory<byte>> Records);

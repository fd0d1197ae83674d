using System.Collections.Immutable;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>
/// Checks updates before they are posted, and holds their blobs in the store until they are: dispose when the run has answered. What several
/// updates share is held and read once.
/// </summary>
/// <remarks>
/// A blob of a remote store is read whole and at most once, where there is room, and stays in memory until the run has answered: so that the
/// run's loop, which does one thing at a time, adds and does not wait for the store. Files are read twice instead, the second time from the
/// page cache, and piece by piece.
/// </remarks>
/// <param name="memory">Where the run's loop looks first.</param>
/// <param name="readAhead">Bytes that all intakes of this process may have in memory; see <see cref="RunHostOptions.ReadAheadBytes"/>.</param>
/// <param name="updates">What will be checked.</param>
internal sealed class Intake(IBlobStore store, MemoryBlobs memory, long readAhead, IRunModel model, params IReadOnlyList<UpdateSubmission> updates) : IAsyncDisposable
{
    private readonly Dictionary<BlobReference, ReadOnlyMemory<byte>> inline = Bytes(updates.SelectMany(u => u.Inline));
    private readonly Dictionary<BlobReference, ReadOnlyMemory<byte>> atHand = Bytes(updates.SelectMany(u => u.AtHand));
    private readonly List<IAsyncDisposable> holds = [];
    private readonly HashSet<BlobReference> held = [];
    private readonly Dictionary<BlobReference, ReadOnlyMemory<byte>> ahead = [];
    private readonly Dictionary<string, UpdateCheck> checks = new(StringComparer.Ordinal);

    /// <returns>
    /// The submission with what was found out of it; its blobs that are nowhere; why it is no update of this model, or empty.
    /// </returns>
    public async ValueTask<(UpdateSubmission Submission, ImmutableArray<BlobReference> Missing, string Problem)> CheckAsync(
        UpdateSubmission submission, CancellationToken cancellation)
    {
        var report = submission.Report;
        var named = report.Extras.Values.Append(report.Delta).OfType<BlobReference>().ToList();
        List<BlobReference> missing = [];
        foreach (var blob in named.Where(b => !inline.ContainsKey(b)).Distinct())
        {
            if (held.Contains(blob))
            {
                continue;
            }

            if (await store.HoldAsync(blob, cancellation).ConfigureAwait(false) is { } hold)
            {
                holds.Add(hold);
                held.Add(blob);
            }
            else
            {
                missing.Add(blob);
            }
        }

        if (missing.Count > 0)
        {
            return (submission, [.. missing], "");
        }

        // Names and digests say all that a check looks at.
        var key = string.Join(' ', report.Extras.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => $"{e.Key}={e.Value.Sha256}").Prepend(report.Delta?.Sha256 ?? ""));
        if (report.LocalSteps <= 0)
        {
            return (submission, [], ""); // The run rejects it, whatever it is of: a way to count what could not be read.
        }

        if (submission.IsChecked)
        {
            foreach (var blob in named.Where(b => !inline.ContainsKey(b)).Distinct())
            {
                await TryReadAsync(blob, cancellation).ConfigureAwait(false);
            }

            return (submission, [], "");
        }

        if (!checks.TryGetValue(key, out var check))
        {
            check = await model.CheckAsync(report, OpenAsync, cancellation).ConfigureAwait(false);
            checks.Add(key, check);
        }

        return (submission with { Report = report with { IsFinite = check.IsFinite } }, [], check.Problem);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var blob in ahead.Keys)
        {
            memory.Release(blob);
            if (!atHand.ContainsKey(blob))
            {
                memory.GiveBack(blob.Length);
            }
        }

        foreach (var hold in holds)
        {
            await hold.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static Dictionary<BlobReference, ReadOnlyMemory<byte>> Bytes(IEnumerable<InlineBlob> blobs) =>
        blobs.DistinctBy(b => b.Reference).ToDictionary(b => b.Reference, b => b.Bytes);

    private async ValueTask<Stream> OpenAsync(BlobReference blob, CancellationToken cancellation) =>
        inline.TryGetValue(blob, out var bytes) ? new ReadOnlyMemoryStream(bytes)
        : await TryReadAsync(blob, cancellation).ConfigureAwait(false) is { } read ? new ReadOnlyMemoryStream(read)
        : await store.OpenAsync(blob, cancellation).ConfigureAwait(false);

    /// <returns>Null when it does not pay, when there is no room, or when the blob is not as long as its reference says.</returns>
    private async ValueTask<ReadOnlyMemory<byte>?> TryReadAsync(BlobReference blob, CancellationToken cancellation)
    {
        if (ahead.TryGetValue(blob, out var present))
        {
            return present;
        }

        if (atHand.TryGetValue(blob, out present))
        {
            memory.Put(blob, present);
            ahead.Add(blob, present);
            return present;
        }

        if (!store.IsRemote || blob.Length > int.MaxValue / 2 || !memory.TryReserve(blob.Length, readAhead))
        {
            return null;
        }

        var isKept = false;
        try
        {
            if (!memory.TryGet(blob.Sha256, out var bytes))
            {
                await using var stream = await store.OpenAsync(blob, cancellation).ConfigureAwait(false);
                if (stream.Length != blob.Length)
                {
                    return null;
                }

                var read = GC.AllocateUninitializedArray<byte>((int)blob.Length);
                await stream.ReadExactlyAsync(read, cancellation).ConfigureAwait(false);
                bytes = read;
            }

            if (bytes.Length != blob.Length)
            {
                return null;
            }

            memory.Put(blob, bytes);
            ahead.Add(blob, bytes);
            isKept = true;
            return bytes;
        }
        finally
        {
            if (!isKept)
            {
                memory.GiveBack(blob.Length);
            }
        }
    }
}

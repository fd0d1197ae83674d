using System.Collections.Immutable;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>
/// Checks updates before they are posted, and holds their blobs in the store until they are: dispose when the run has answered. What several
/// updates share is held and read once.
/// </summary>
/// <param name="inline">The blobs that are not in the store but came with the updates.</param>
internal sealed class Intake(IBlobStore store, IRunModel model, IEnumerable<InlineBlob> inline) : IAsyncDisposable
{
    private readonly Dictionary<BlobReference, ReadOnlyMemory<byte>> inline = inline.DistinctBy(i => i.Reference).ToDictionary(i => i.Reference, i => i.Bytes);
    private readonly List<IAsyncDisposable> holds = [];
    private readonly HashSet<BlobReference> held = [];
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

        if (!checks.TryGetValue(key, out var check))
        {
            check = await model.CheckAsync(report, OpenAsync, cancellation).ConfigureAwait(false);
            checks.Add(key, check);
        }

        return (submission with { Report = report with { IsFinite = check.IsFinite } }, [], check.Problem);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var hold in holds)
        {
            await hold.DisposeAsync().ConfigureAwait(false);
        }
    }

    private ValueTask<Stream> OpenAsync(BlobReference blob, CancellationToken cancellation) => inline.TryGetValue(blob, out var bytes)
        ? ValueTask.FromResult<Stream>(new ReadOnlyMemoryStream(bytes))
        : store.OpenAsync(blob, cancellation);
}

using Federated.Coordinator.Dashboard.Feed;
using Federated.Simulation.Results;

namespace Federated.Cli.Dashboard;

/// <summary>
/// Finds the published versions in the rows of <c>updates.csv</c>: an update's base version and staleness τ say that it was folded into
/// version base + τ + 1, and rows stand in the order in which they were folded in.
/// </summary>
internal sealed class FoldedVersions(ViewFeed feed)
{
    private int updates;
    private double staleness;
    private double foldedAt;

    /// <summary>The version that was current when the row taken last ended.</summary>
    public int Version { get; private set; }

    public void Take(in UpdateRow row)
    {
        if (row.Outcome != UpdateOutcome.Accepted || row.Weight <= 0)
        {
            return;
        }

        if (row.BaseVersion + row.Staleness > Version)
        {
            Complete();
            Version = row.BaseVersion + row.Staleness;
        }

        updates++;
        staleness += row.Staleness;
        foldedAt = Math.Max(foldedAt, row.EndedAt + row.AggregateSeconds);
    }

    /// <summary>The open aggregate was published.</summary>
    public void Complete()
    {
        if (updates > 0)
        {
            feed.Add(new VersionPoint(Version + 1, foldedAt, updates, staleness / updates, double.NaN, double.NaN, double.NaN));
        }

        (updates, staleness) = (0, 0);
    }
}

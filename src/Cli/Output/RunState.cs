using Federated.Simulation.Engine;
using Federated.Simulation.Results;

namespace Federated.Cli.Output;

/// <summary>Where a run stands, gathered from what it tells; both displays show this.</summary>
internal sealed class RunState(TimeProvider clock)
{
    private const int MostAccuracies = 2048;

    private readonly long startedAt = clock.GetTimestamp();
    private readonly List<double> accuracies = [];

    public int Version { get; private set; }

    public double VirtualSeconds { get; private set; }

    public double WallSeconds => clock.GetElapsedTime(startedAt).TotalSeconds;

    public long Accepted { get; private set; }

    public long Rejected { get; private set; }

    public long Lost { get; private set; }

    /// <summary>NaN until it was told.</summary>
    public double InFlight { get; private set; } = double.NaN;

    public double MeanStaleness { get; private set; } = double.NaN;

    public MetricsRow? Last { get; private set; }

    public double BestAccuracy { get; private set; } = double.NaN;

    public IReadOnlyList<double> Accuracies => accuracies;

    public double UpdatesPerSecond => WallSeconds > 0 ? (Accepted + Rejected + Lost) / WallSeconds : double.NaN;

    public void Take(in VersionPublished version) => (Version, VirtualSeconds, MeanStaleness) = (version.Version, version.VirtualSeconds, version.MeanStaleness);

    public void Take(MetricsRow row)
    {
        (Last, VirtualSeconds) = (row, row.VirtualSeconds);
        if (accuracies.Count == MostAccuracies)
        {
            accuracies.RemoveRange(0, MostAccuracies / 2);
        }

        accuracies.Add(row.Accuracy);
        BestAccuracy = double.IsNaN(BestAccuracy) ? row.Accuracy : Math.Max(BestAccuracy, row.Accuracy);
    }

    public void Take(in UpdateRow row)
    {
        switch (row.Outcome)
        {
            case UpdateOutcome.Accepted: Accepted++; break;
            case UpdateOutcome.Rejected: Rejected++; break;
            default: Lost++; break;
        }
    }

    public void Take(in SimulationProgress progress) => (VirtualSeconds, InFlight) = (progress.VirtualSeconds, progress.InFlight);
}

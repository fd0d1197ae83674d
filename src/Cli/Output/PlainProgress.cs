using Federated.Simulation.Engine;
using Federated.Simulation.Reports;
using Federated.Simulation.Results;

namespace Federated.Cli.Output;

/// <summary>Progress as lines, for pipes and logs: an evaluation a line, at most two a second.</summary>
internal sealed class PlainProgress(TextWriter output, TimeProvider clock) : ISimulationObserver
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly RunState state = new(clock);
    private long lastLine;
    private bool hasLine;

    public void OnVersion(in VersionPublished version) => state.Take(version);

    public void OnUpdate(in UpdateRow row) => state.Take(row);

    public void OnEvaluation(MetricsRow row)
    {
        state.Take(row);
        if (!hasLine || clock.GetElapsedTime(lastLine) >= Interval)
        {
            Line($"version {Readable.Number(row.Version)}  accuracy {Readable.Percent(row.Accuracy)}  loss {Readable.Number(row.Loss)}{(double.IsNaN(row.Epsilon) ? "" : $"  ε {Readable.Number(row.Epsilon)}")}");
        }
    }

    public void OnProgress(in SimulationProgress progress)
    {
        state.Take(progress);
        if (clock.GetElapsedTime(lastLine) >= Patience)
        {
            Line($"version {Readable.Number(progress.Version)}");
        }
    }

    private void Line(string begin)
    {
        (lastLine, hasLine) = (clock.GetTimestamp(), true);
        output.WriteLine(
            $"{begin}  virtual {Readable.Seconds(state.VirtualSeconds)}  wall {Readable.Seconds(state.WallSeconds)}  "
            + $"updates {Readable.Number(state.Accepted)} ({Readable.Short(state.UpdatesPerSecond)}/s)  staleness {Readable.Number(state.MeanStaleness)}");
    }
}

using System.Diagnostics.CodeAnalysis;

namespace Federated.Simulation.Results;

/// <summary>What a results folder tells, read back for comparison.</summary>
/// <param name="Label">How to call it beside others: the folder's name.</param>
/// <param name="IsPartial">The run was still going, or was killed.</param>
public sealed record RecordedRun(string Path, string Label, RunSummary? Summary, IReadOnlyList<MetricsRow> Metrics, bool IsPartial)
{
    public static bool TryRead(string path, [NotNullWhen(true)] out RecordedRun? run, [NotNullWhen(false)] out string? problem)
    {
        (run, problem) = (null, null);
        if (!Directory.Exists(path))
        {
            problem = $"There is no folder {path}.";
            return false;
        }

        var metrics = System.IO.Path.Combine(path, MetricsFile.Name);
        if (!File.Exists(metrics))
        {
            problem = $"{path} holds no {MetricsFile.Name}; name the folder that a run wrote (its --out).";
            return false;
        }

        try
        {
            var summary = System.IO.Path.Combine(path, SummaryFile.Name);
            var label = System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path)));
            run = new RecordedRun(
                path,
                label,
                File.Exists(summary) ? SummaryFile.Read(summary) : null,
                MetricsFile.Read(metrics),
                File.Exists(System.IO.Path.Combine(path, ResultsFolder.PartialMarker)));
            return true;
        }
        catch (Exception reason) when (reason is SimulationException or IOException or UnauthorizedAccessException)
        {
            problem = reason.Message;
            return false;
        }
    }
}

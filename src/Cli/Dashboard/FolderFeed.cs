using Federated.Coordinator.Dashboard.Feed;
using Federated.Coordinator.Runs;
using Federated.Privacy.Statements;
using Federated.Protocol.Wire;
using Federated.Simulation;
using Federated.Simulation.Configuration;
using Federated.Simulation.Results;

namespace Federated.Cli.Dashboard;

/// <summary>A results folder as a feed: what a run left behind, read once.</summary>
internal static class FolderFeed
{
    /// <exception cref="CommandException">A file of the folder cannot be read.</exception>
    public static ViewFeed Read(RecordedRun run, string id)
    {
        var feed = new ViewFeed(HeaderOf(run, id));
        foreach (var row in run.Metrics)
        {
            feed.Add(SimulationFeed.PointOf(row));
        }

        feed.EnsureClients(run.Summary?.Clients ?? 0);
        if (run.Summary is { } summary)
        {
            feed.Privacy = new RunPrivacyMessage(id, summary.Versions, StatementMessage.Of(summary.Privacy?.Statement ?? PrivacyStatement.None(StatementSetting.Simulation)))
            {
                Course = [.. run.Metrics.Where(row => double.IsFinite(row.Epsilon)).Select(row => new SpendingPoint(row.Version, row.Epsilon))],
            };
        }

        try
        {
            var file = Path.Combine(run.Path, UpdatesFile.Name);
            if (File.Exists(file))
            {
                AddUpdates(feed, file);
            }
            else
            {
                AddVersions(feed, run.Metrics);
            }
        }
        catch (Exception problem) when (problem is SimulationException or IOException or UnauthorizedAccessException)
        {
            feed.Add(new LogPoint(0, 0, LogSeverity.Error, "run", $"The updates of this run cannot be read: {problem.Message}"));
        }

        Conclude(feed, run);
        return feed;
    }

    private static RunHeader HeaderOf(RecordedRun run, string id)
    {
        var file = Path.Combine(run.Path, ResultsFolder.ConfigurationName);
        var clients = run.Summary?.Clients ?? 0;
        if (File.Exists(file) && ConfigurationFile.Load<ExperimentConfiguration>(file, []) is { IsValid: true } read)
        {
            return SimulationFeed.HeaderOf(read.Value, id, clients, FeedSource.Folder) with { Name = run.Label };
        }

        return new RunHeader
        {
            Id = id,
            Name = run.Label,
            Strategy = run.Summary?.Strategy ?? "",
            Scheduler = run.Summary?.Strategy.Split(' ')[0] ?? "",
            Source = FeedSource.Folder,
            Clients = clients,
            Seed = run.Summary?.Seed ?? 0,
        };
    }

    /// <summary>Rows stand in the order in which they ended; a version ends where the next row's base or fold time says so.</summary>
    private static void AddUpdates(ViewFeed feed, string file)
    {
        var assignment = 0L;
        var fold = new FoldedVersions(feed);
        foreach (var row in UpdatesFile.Read(file))
        {
            fold.Take(row);
            feed.Add(SimulationFeed.PointOf(row with { Assignment = assignment++ }, fold.Version));
        }

        fold.Complete();
    }

    private static void AddVersions(ViewFeed feed, IReadOnlyList<MetricsRow> metrics)
    {
        foreach (var row in metrics.Where(row => row.Version > 0))
        {
            feed.Add(new VersionPoint(row.Version, row.VirtualSeconds, 0, row.MeanStaleness, double.NaN, double.NaN, double.NaN));
        }
    }

    private static void Conclude(ViewFeed feed, RecordedRun run)
    {
        var last = run.Metrics.Count > 0 ? run.Metrics[^1] : null;
        var detail = run.Summary?.FinishDetail ?? (run.IsPartial ? "The run was still going, or was killed, when this folder was read." : "");
        feed.Standing = new RunStanding
        {
            Status = RunStatus.Finished,
            Version = run.Summary?.Versions ?? last?.Version ?? 0,
            Time = run.Summary?.VirtualSeconds ?? last?.VirtualSeconds ?? 0,
            Wall = run.Summary?.WallSeconds ?? last?.WallSeconds ?? 0,
            Accepted = run.Summary?.Accepted ?? last?.ClientUpdates ?? 0,
            Rejected = run.Summary?.Rejected ?? 0,
            Lost = run.Summary?.Lost ?? 0,
            InFlight = 0,
            Waiting = 0,
            Events = run.Summary?.Events ?? 0,
            FinishReason = run.Summary?.FinishReason ?? "partial",
            FinishDetail = detail,
        };
        feed.Add(new LogPoint(feed.Standing.Time, feed.Standing.Wall, LogSeverity.Information, "run", $"Read from {Path.GetFullPath(run.Path)}. {detail}"));
    }
}

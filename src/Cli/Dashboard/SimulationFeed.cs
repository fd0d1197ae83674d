using Federated.Coordinator.Dashboard.Feed;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Statements;
using Federated.Protocol.Wire;
using Federated.Simulation;
using Federated.Simulation.Configuration.Binding;
using Federated.Simulation.Engine;
using Federated.Simulation.Reports;
using Federated.Simulation.Results;

namespace Federated.Cli.Dashboard;

/// <summary>A simulation, told to viewers as it goes; they can pause it and end it, and it can be slowed down so that people can follow.</summary>
internal sealed class SimulationFeed : ISimulationObserver, IRunControl, IDisposable
{
    private readonly TimeProvider clock;
    private readonly double pace;
    private readonly CancellationTokenSource stop;
    private readonly ManualResetEventSlim goes = new(initialState: true);
    private readonly long startedAt;
    private readonly List<SpendingPoint> spending = [];
    private PrivacyStatement statement;
    private RunStanding standing = new() { Status = RunStatus.Running };
    private TimeSpan rested;
    private double best;
    private int nextMilestone = 1;

    /// <param name="pace">At most so many virtual seconds per real second; 0 for as fast as it goes.</param>
    /// <param name="cancellation">Ends the run from outside; <see cref="Stopped"/> is signalled then, and when a viewer stops it.</param>
    public SimulationFeed(Experiment experiment, string id, TimeProvider clock, double pace, CancellationToken cancellation)
    {
        (this.clock, this.pace) = (clock, pace);
        stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        startedAt = clock.GetTimestamp();
        Feed = new ViewFeed(HeaderOf(experiment.Configuration, id, experiment.ClientCount, FeedSource.Simulation) with
        {
            ClientNames = experiment.Data is { } data && data.Clients.Any(c => c.Name.Length > 0) ? [.. data.Clients.Take(1000).Select(c => c.Name)] : [],
        });
        Feed.EnsureClients(experiment.ClientCount);
        Feed.Standing = standing;
        Feed.Privacy = new RunPrivacyMessage(id, 0, StatementMessage.Of(statement = experiment.Statement));
        Log(LogSeverity.Information, "run", $"The run began: {Readable.Number(experiment.ClientCount)} clients, {Feed.Header.Strategy}.", version: 0);
    }

    public ViewFeed Feed { get; }

    /// <summary>Ends the simulation.</summary>
    public CancellationToken Stopped => stop.Token;

    /// <summary>What a configuration tells about its run.</summary>
    public static RunHeader HeaderOf(ExperimentConfiguration configuration, string id, int clients, FeedSource source)
    {
        var (goal, concurrency) = configuration.Strategy.Scheduler switch
        {
            BufferedOptions o => (o.AggregationGoal, o.Concurrency),
            SynchronousOptions o => (o.Cohort, (int)Math.Ceiling(o.Cohort * (1 + o.OverSelection))),
            ImmediateOptions => (1, 0),
            _ => (0, 0),
        };
        return new RunHeader
        {
            Id = id,
            Name = configuration.Name,
            Strategy = Experiment.Describe(configuration),
            Scheduler = Experiment.Describe(configuration).Split(' ')[0],
            Source = source,
            Clients = clients,
            Seed = configuration.Seed,
            AggregationGoal = goal,
            Concurrency = concurrency,
            MaxStaleness = configuration.Run.MaxStaleness,
            StopVersions = configuration.Run.Stop.Versions,
            StopUpdates = configuration.Run.Stop.ClientUpdates,
            StopSeconds = configuration.Run.Stop.Seconds,
            TargetAccuracy = configuration.Run.Stop.TargetAccuracy,
            EpsilonBudget = configuration.Privacy switch
            {
                CentralPrivacyOptions { Epsilon: > 0 } o => o.Epsilon,
                RandomizedReportOptions { Epsilon: > 0 } o => o.Epsilon,
                ExamplePrivacyOptions { Epsilon: > 0 } o => o.Epsilon,
                _ => double.NaN,
            },
            Configuration = ConfigWriter.Write(configuration),
        };
    }

    public bool WantsMeasures => true;

    public void OnGroup(GroupFact group) => Feed.Add(new GroupPoint(
        group.Number, group.Opened, group.Expected, group.Latest, group.Closed, [.. group.Members.Select(member => member.Value)], group.Arrived, group.Version));

    public void OnDispatch(Protocol.Assignment assignment)
    {
        Follow(assignment.DispatchedAt);
        Feed.Begin(new TaskPoint(assignment.Id.Value, assignment.Client.Value, assignment.BaseVersion, assignment.Work.Steps, assignment.DispatchedAt));
    }

    public void OnArrival(Protocol.Assignment assignment, double time)
    {
        Follow(time);
        Feed.Arrived(assignment.Id.Value, assignment.Client.Value, time);
    }

    public void OnVersion(in VersionPublished version)
    {
        Follow(version.VirtualSeconds);
        Feed.Add(new VersionPoint(version.Version, version.VirtualSeconds, version.Updates, version.MeanStaleness, version.WeightSum, version.Measures.StepNorm, version.Measures.Agreement));
        Feed.AddLeftOut(version.Measures.LeftOut);
        Tell(standing with { Version = version.Version, Time = version.VirtualSeconds, Wall = Wall });
    }

    public void OnEvaluation(MetricsRow row)
    {
        Feed.Add(PointOf(row));
        if (double.IsFinite(row.Epsilon))
        {
            spending.Add(new SpendingPoint(row.Version, row.Epsilon));
            statement = statement.Planned is { } planned ? statement with { Spent = row.Epsilon > 0 ? planned with { Epsilon = row.Epsilon } : null } : statement;
            TellPrivacy();
        }

        Tell(standing with { Version = row.Version, Time = row.VirtualSeconds, Wall = Wall });
        if (row.Accuracy >= nextMilestone / 10.0)
        {
            nextMilestone = (int)Math.Floor(row.Accuracy * 10) + 1;
            Log(LogSeverity.Information, "progress", $"Accuracy passed {Readable.Percent(Math.Floor(row.Accuracy * 10) / 10)} with version {row.Version}.", version: row.Version);
        }

        if (best > 0 && row.Accuracy < best - 0.2)
        {
            Log(LogSeverity.Warning, "progress", $"Accuracy fell to {Readable.Percent(row.Accuracy)} with version {row.Version}; it had been {Readable.Percent(best)}.", version: row.Version);
        }

        best = Math.Max(best, row.Accuracy);
    }

    public void OnUpdate(in UpdateRow row)
    {
        Follow(row.EndedAt);
        Feed.Add(PointOf(row, standing.Version));
        standing = row.Outcome switch
        {
            UpdateOutcome.Accepted => standing with { Accepted = standing.Accepted + 1 },
            UpdateOutcome.Rejected => standing with { Rejected = standing.Rejected + 1 },
            _ => standing with { Lost = standing.Lost + 1 },
        };
        Tell(standing with { Time = Math.Max(standing.Time, row.EndedAt), Wall = Wall });
        if (row.Outcome != UpdateOutcome.Accepted && row.Reason != "run-over")
        {
            Log(LogSeverity.Warning, "client", Sentence(row), row.Client, row.BaseVersion);
        }
    }

    public void OnProgress(in SimulationProgress progress) =>
        Tell(standing with
        {
            Version = progress.Version,
            Time = progress.VirtualSeconds,
            Wall = Wall,
            InFlight = progress.InFlight,
            Waiting = progress.Waiting,
            Events = progress.Events,
        });

    public void OnFinish(RunSummary summary)
    {
        statement = summary.Privacy?.Statement ?? statement;
        TellPrivacy();
        foreach (var score in summary.ClientScores)
        {
            Feed.AddEvaluation(score.Client, score.Accuracy);
        }

        Log(summary.FinishReason is "diverged" or "stalled" ? LogSeverity.Error : LogSeverity.Information, "run", $"The run ended: {summary.FinishDetail}", version: summary.Versions);
        Tell(standing with
        {
            Status = RunStatus.Finished,
            InFlight = 0,
            Waiting = 0,
            Events = summary.Events,
            Wall = Wall,
            FinishReason = summary.FinishReason,
            FinishDetail = summary.FinishDetail,
        });
    }

    public void Pause()
    {
        goes.Reset();
        Log(LogSeverity.Information, "operator", "Paused from the dashboard.");
        Tell(standing with { Status = RunStatus.Paused });
    }

    public void Resume()
    {
        Log(LogSeverity.Information, "operator", "Resumed from the dashboard.");
        Tell(standing with { Status = RunStatus.Running });
        goes.Set();
    }

    public void Stop()
    {
        Log(LogSeverity.Information, "operator", "Stopped from the dashboard.");
        stop.Cancel();
        goes.Set();
    }

    public void Dispose()
    {
        goes.Dispose();
        stop.Dispose();
    }

    internal static MetricsPoint PointOf(MetricsRow row) => new(
        row.Version, row.Round, row.VirtualSeconds, row.WallSeconds, row.Accuracy, row.Loss, row.ClientUpdates, row.BytesUp, row.BytesDown, row.MeanStaleness, row.Epsilon);

    internal static UpdatePoint PointOf(in UpdateRow row, int version) => new()
    {
        Assignment = row.Assignment,
        Client = row.Client,
        BaseVersion = row.BaseVersion,
        Staleness = row.Staleness,
        Steps = row.LocalSteps,
        Examples = row.Examples,
        Download = row.DownloadSeconds,
        Train = row.TrainSeconds,
        Upload = row.UploadSeconds,
        Aggregate = row.AggregateSeconds,
        Weight = row.Weight,
        Norm = row.Norm,
        Cosine = double.NaN,
        End = (UpdateEnd)(int)row.Outcome,
        Reason = row.Reason,
        DispatchedAt = row.DispatchedAt,
        EndedAt = row.EndedAt,
        Version = row.Outcome == UpdateOutcome.Accepted && row.Weight > 0 ? version + 1 : 0,
    };

    private static string Sentence(in UpdateRow row) => row.Outcome == UpdateOutcome.Lost
        ? $"The update of client {row.Client} was lost ({row.Reason}) {Readable.Seconds(row.EndedAt - row.DispatchedAt)} after it was sent version {row.BaseVersion}."
        : $"The update of client {row.Client} was not used ({row.Reason}): it started from version {row.BaseVersion}, staleness {row.Staleness}.";

    private void TellPrivacy() => Feed.Privacy = new RunPrivacyMessage(Feed.Header.Id, 0, StatementMessage.Of(statement)) { Course = [.. spending] };

    private double Wall => clock.GetElapsedTime(startedAt).TotalSeconds;

    private void Tell(RunStanding next)
    {
        // A pause from the hub's thread must not be undone by a row that was on its way.
        if (next.Status == RunStatus.Running && !goes.IsSet)
        {
            next = next with { Status = RunStatus.Paused };
        }
        else if (next.Status == RunStatus.Paused && goes.IsSet)
        {
            next = next with { Status = RunStatus.Running };
        }

        Feed.Standing = standing = next;
    }

    private void Log(LogSeverity severity, string kind, string text, int client = -1, int version = -1) =>
        Feed.Add(new LogPoint(standing.Time, Wall, severity, kind, text, client, version));

    /// <summary>Waits while paused, and until the real clock has caught up with the virtual one.</summary>
    private void Follow(double time)
    {
        try
        {
            if (!goes.IsSet)
            {
                var since = clock.GetTimestamp();
                goes.Wait(stop.Token);
                rested += clock.GetElapsedTime(since);
            }

            while (pace > 0 && TimeSpan.FromSeconds(time / pace) + rested - clock.GetElapsedTime(startedAt) is { TotalMilliseconds: > 1 } early)
            {
                if (stop.Token.WaitHandle.WaitOne(early < TimeSpan.FromSeconds(0.25) ? early : TimeSpan.FromSeconds(0.25)))
                {
                    return;
                }

                if (!goes.IsSet)
                {
                    Follow(0);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The run is being ended; the simulator hears of it by the same token.
        }
    }
}

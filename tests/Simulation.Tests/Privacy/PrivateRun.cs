using Federated.Aggregation.ExampleWeights;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Privacy.Pipeline;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Simulation.Results;
using Federated.Simulation.Tests.Engine;
using Federated.Training.Data;
using Federated.Training.Data.Generators;
using Federated.Training.Data.Partitioning;
using Federated.Training.Models;
using Federated.Training.Optimizers;

namespace Federated.Simulation.Tests.Privacy;

/// <summary>Small runs with a policy: 20 clients, 12 drawn digits each, a linear model of 1,450 parameters.</summary>
internal static class PrivateRun
{
    public const int Clients = 20;

    /// <summary>Rounds of five, equal weights, four steps each: what every policy accepts.</summary>
    public static ExperimentConfiguration Rounds { get; } = new()
    {
        Name = "private",
        Seed = 5,
        Threads = 1,
        Data = new DataOptions { Source = new DrawnDigitsOptions { Writers = Clients, TrainPerWriter = 12, TestPerWriter = 2, Size = 12 }, Partition = new IidPartition { Clients = Clients } },
        Model = new SoftmaxRegressionOptions(),
        Training = new LocalTraining { Steps = 4, BatchSize = 6, Optimizer = new SgdOptions { LearningRate = 0.1 } },
        Strategy = new StrategyOptions { Scheduler = new SynchronousOptions { Cohort = 5 }, ExampleWeight = new EqualExampleWeight() },
        Run = new RunOptions { EvaluateEvery = 1, Stop = new StopOptions { Versions = 8 } },
    };

    /// <summary>Devices of very different speed, so that some take part far more often than others.</summary>
    public static ClientsOptions Uneven { get; } = new()
    {
        Responsiveness = new LogNormalResponsiveness { Per = DrawScope.Task, Unit = DurationUnit.Task, Median = 1, Sigma = 0.3, SpeedSpread = 1.2 },
    };

    /// <summary>A buffer of five, twelve at work.</summary>
    public static ExperimentConfiguration Buffered { get; } = Rounds with
    {
        Strategy = Rounds.Strategy with { Scheduler = new BufferedOptions { Concurrency = 12, AggregationGoal = 5 } },
        Clients = Uneven,
    };

    /// <summary>Whoever comes, comes.</summary>
    public static ExperimentConfiguration Anarchic { get; } = Rounds with
    {
        Strategy = Rounds.Strategy with { Scheduler = new AnarchicOptions { AggregationGoal = 5 } },
        Training = ((LocalTraining)Rounds.Training) with { Steps = 0, Epochs = 0 },
        Clients = Uneven with { Effort = new EffortOptions { MinimumSteps = 2, MaximumSteps = 6 } },
    };

    public static ExperimentConfiguration With(this ExperimentConfiguration configuration, PrivacyOptions privacy, int versions = 8) => configuration with
    {
        Privacy = privacy,
        Run = configuration.Run with { Stop = configuration.Run.Stop with { Versions = versions } },
    };

    public static RunSummary Start(this ExperimentConfiguration configuration, ISimulationObserver? observer = null) =>
        ExperimentRunner.Run(configuration, ".", observer, TimeProvider.System, CancellationToken.None).Summary;

    public static SimulationException Refusal(this ExperimentConfiguration configuration) =>
        Assert.Throws<SimulationException>(() => Experiment.Prepare(configuration, "."));
}

/// <summary>Counts, from outside, who took part in what, and compares what the run says it has spent.</summary>
/// <param name="epsilonOf">ε of the client that took part so often, computed elsewhere.</param>
/// <param name="counts">Whether a client's update counts as a participation.</param>
internal sealed class Bookkeeper(Func<int, double> epsilonOf, Func<UpdateRow, bool> counts) : ISimulationObserver
{
    private int version;

    public Dictionary<int, List<int>> Releases { get; } = [];

    public List<(int Most, double Told, double Expected)> Evaluations { get; } = [];

    public int Most => Releases.Count == 0 ? 0 : Releases.Values.Max(list => list.Count);

    public void OnVersion(in VersionPublished published) => version = published.Version;

    public void OnUpdate(in UpdateRow row)
    {
        if (!counts(row))
        {
            return;
        }

        if (!Releases.TryGetValue(row.Client, out var list))
        {
            Releases.Add(row.Client, list = []);
        }

        list.Add(version);
    }

    public void OnEvaluation(MetricsRow row) => Evaluations.Add((Most, row.Epsilon, Most == 0 ? 0 : epsilonOf(Most)));

    public void AssertTruth()
    {
        Assert.True(Evaluations.Count > 2 && Most > 1, $"{Evaluations.Count} evaluations and {Most} participations show little.");
        Assert.All(Evaluations, e => Assert.Equal(e.Expected, e.Told, 1e-9));
    }
}

using Federated.Aggregation.Averaging;
using Federated.Aggregation.ExampleWeights;
using Federated.Aggregation.ServerOptimizers;
using Federated.Aggregation.Staleness;
using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Training.LocalObjectives;
using ClientSgd = Federated.Training.Optimizers.SgdOptions;

namespace Federated.Simulation.Tests.Engine;

/// <summary>
/// The scalar golden vectors (reference/algorithms.md, H1; nine digits or more, computed independently), through the whole path: devices,
/// simulator, run machine, training pool, aggregator, server optimizer. In double.
/// </summary>
public sealed class GoldenVectorTests
{
    private const double Tolerance = 1e-9;

    private static readonly LocalTraining ThreeFullSteps = new() { Steps = 3, BatchSize = 0, Optimizer = new ClientSgd { LearningRate = 0.1 } };

    private static readonly StrategyOptions FedAvg = new() { Scheduler = new SynchronousOptions { Cohort = 2 } };

    public static TheoryData<string, StrategyOptions, double[]> Synchronous => new()
    {
        { "FedAvg", FedAvg, [-0.275, -0.8353625, -1.081641819] },
        { "FedProx", FedAvg with { Objective = new FedProxOptions { Mu = 1 } }, [-0.14, -0.70772, -0.99044456] },
        { "FedAvgM", FedAvg with { ServerOptimizer = new MomentumOptions { Momentum = 0.9 } }, [-0.275, -1.9828625, -3.123044319] },
        { "FedAdagrad", FedAvg with { ServerOptimizer = new AdagradOptions() }, [0.9000784006, 0.8310122152, 0.7754280155] },
        { "FedYogi", FedAvg with { ServerOptimizer = new YogiOptions() }, [0.900781238, 0.76738022, 0.6123990052] },
        { "FedAdam", FedAvg with { ServerOptimizer = new AdamOptions() }, [0.9007812078, 0.767032398, 0.611222468] },
    };

    [Theory]
    [MemberData(nameof(Synchronous))]
    public void Rounds_give_the_golden_versions(string name, StrategyOptions strategy, double[] expected)
    {
        _ = name;
        AssertVersions(expected, Versions(strategy, new ClientsOptions { Count = 2 }, expected.Length));
    }

    [Fact]
    public void FedBuff_gives_the_golden_versions()
    {
        // Arrivals (client, base): (0,0) (0,0) (1,0) (0,1) (1,1) (1,2).
        var strategy = new StrategyOptions
        {
            Scheduler = new BufferedOptions { Concurrency = 2, AggregationGoal = 2 },
            ExampleWeight = new EqualExampleWeight(),
            StalenessWeight = new PolynomialStaleness { Exponent = 0.5 },
            Aggregator = new WeightedMeanOptions { Normalisation = Normalisation.Count },
        };
        AssertVersions([1.813, 1.412484767, -0.5942175733], Versions(strategy, Table([1, 1, 1.5, 100], [2.5, 1.5, 0.5, 100]), 3));
    }

    [Fact]
    public void FedAsync_gives_the_golden_versions()
    {
        // Arrivals (client, base): (0,0) (1,0) (0,1) (1,2); α = 0.6, s(τ) = (1 + τ)^−½.
        var strategy = new StrategyOptions
        {
            Scheduler = new ImmediateOptions { Concurrency = 2, Mixing = 0.6 },
            StalenessWeight = new PolynomialStaleness { Exponent = 0.5 },
            Aggregator = new WeightedMeanOptions { Normalisation = Normalisation.None },
        };
        AssertVersions([1.4878, 0.4446195079, 1.176045116, 0.1843106199], Versions(strategy, Table([1, 2, 100], [2, 2, 100]), 4));
    }

    private static ClientsOptions Table(params double[][] rows) => new()
    {
        Count = 2,
        Responsiveness = new TableResponsiveness { Unit = DurationUnit.Task, Rows = rows },
    };

    private static void AssertVersions(double[] expected, List<double> actual)
    {
        Assert.Equal(expected.Length, actual.Count);
        for (var version = 0; version < expected.Length; version++)
        {
            // The reference prints ten digits.
            Assert.Equal(expected[version], actual[version], Tolerance);
        }
    }

    private static List<double> Versions(StrategyOptions strategy, ClientsOptions clients, int versions)
    {
        var configuration = new ExperimentConfiguration
        {
            Precision = NumberFormat.Float64,
            Training = ThreeFullSteps,
            Strategy = strategy,
            Run = new RunOptions { Stop = new StopOptions { Versions = versions } },
            Clients = clients,
        };
        var state = new ModelState<double>(
            [1], StrategyFactory.CreateAggregator<double>(strategy, 1), StrategyFactory.CreateServerOptimizer<double>(strategy, 1));
        using var workload = new TrainingWorkload<double>(
            () => new Quadratics(), Quadratics.Data, ThreeFullSteps.With(strategy.Objective), state, 1, versions, threads: 2);
        var models = new Models(state);
        new Simulator(
            new RunMachine(configuration.Run, StrategyFactory.CreateScheduler(configuration)), configuration.Run, new Fleet(clients, 2, 1), workload, models,
            TimeProvider.System).Run(CancellationToken.None);
        return models.Versions;
    }

    private sealed class Models(ModelState<double> state) : ISimulationObserver
    {
        public List<double> Versions { get; } = [];

        public void OnVersion(in VersionPublished version) => Versions.Add(state.Current.Parameters[0]);
    }
}

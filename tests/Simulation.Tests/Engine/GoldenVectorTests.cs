using Federated.Aggregation.Anarchic;
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
using Federated.Training.LocalTraining;
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

    private static readonly StrategyOptions Uniform = FedAvg with { ExampleWeight = new EqualExampleWeight() };

    public static TheoryData<string, StrategyOptions, double[]> Synchronous => new()
    {
        { "FedAvg", FedAvg, [-0.275, -0.8353625, -1.081641819] },
        { "FedProx", FedAvg with { Objective = new FedProxOptions { Mu = 1 } }, [-0.14, -0.70772, -0.99044456] },
        { "FedAvgM", FedAvg with { ServerOptimizer = new MomentumOptions { Momentum = 0.9 } }, [-0.275, -1.9828625, -3.123044319] },
        { "FedAdagrad", FedAvg with { ServerOptimizer = new AdagradOptions() }, [0.9000784006, 0.8310122152, 0.7754280155] },
        { "FedYogi", FedAvg with { ServerOptimizer = new YogiOptions() }, [0.900781238, 0.76738022, 0.6123990052] },
        { "SCAFFOLD II", Uniform with { Objective = new ScaffoldOptions() }, [0.421, -0.009984, -0.2534240173] },
        { "FedDyn", Uniform with { Objective = new FedDynOptions { Alpha = 0.5 } }, [-0.0935, -0.6785433125, -0.7883567283] },
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

    [Theory]
    [InlineData(false, new[] { -0.7293425, -1.297522302, -1.484199196 })]
    [InlineData(true, new[] { -0.288253625, -0.7632419153, -0.9383734823 })]
    public void Unequal_steps_give_the_golden_versions_with_and_without_FedNova(bool normalises, double[] expected)
    {
        // Client 0 does 2 steps, client 1 does 5.
        var strategy = normalises ? FedAvg with { Aggregator = new FedNovaOptions() } : FedAvg;
        var clients = new ClientsOptions { Count = 2, Completeness = new TableCompleteness { Rows = [[2], [5]] } };
        AssertVersions(expected, Versions(strategy, clients, 3, ThreeFullSteps with { Steps = 5 }));
    }

    [Fact]
    public void AFA_CD_gives_the_golden_versions()
    {
        // Arrivals (client, base, K): (0,0,2) (1,0,4) (0,1,3); η_L = 0.1, η = 3.
        var strategy = new StrategyOptions
        {
            Scheduler = new AnarchicOptions(),
            ExampleWeight = new EqualExampleWeight(),
            Aggregator = new AnarchicMeanOptions(),
            ServerOptimizer = new SgdOptions { LearningRate = 3 },
        };
        var clients = Table([1, 2, 100], [2, 100]) with { Effort = new EffortOptions { Table = [[2, 3, 1], [4, 1]] } };
        AssertVersions([1.855, 0.145225, 0.72652], Versions(strategy, clients, 3));
    }

    [Theory]
    [InlineData(true, -0.5, 1e-6)]
    [InlineData(false, 2.53, 0.1)]
    public void Under_nine_to_one_arrivals_AFA_CS_finds_the_optimum_and_AFA_CD_the_surrogate(bool remembers, double expected, double tolerance)
    {
        // K = 1, η·η_L = 0.002, client 0 comes nine times as often: the optimum is −0.5, the surrogate optimum 2.5.
        var strategy = new StrategyOptions
        {
            Scheduler = new AnarchicOptions(),
            ExampleWeight = new EqualExampleWeight(),
            Aggregator = remembers ? new AnarchicMemoryOptions() : new AnarchicMeanOptions(),
            ServerOptimizer = new SgdOptions { LearningRate = 0.02 },
        };
        var clients = Table([1], [9]) with { Effort = new EffortOptions { MinimumSteps = 1, MaximumSteps = 1 } };
        Assert.Equal(expected, Versions(strategy, clients, 20_000)[^1], tolerance);
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

    private static List<double> Versions(StrategyOptions strategy, ClientsOptions clients, int versions, LocalTraining? training = null)
    {
        training ??= ThreeFullSteps;
        var configuration = new ExperimentConfiguration
        {
            Precision = NumberFormat.Float64,
            Training = training,
            Strategy = strategy,
            Run = new RunOptions { Stop = new StopOptions { Versions = versions } },
            Clients = clients,
        };
        var state = new ModelState<double>(
            [1],
            StrategyFactory.CreateAggregator<double>(strategy, 1),
            StrategyFactory.CreateServerOptimizer<double>(strategy, 1),
            StrategyFactory.CreateObjectiveServer<double>(strategy, 1, 2));
        var local = training.With(strategy.Objective);
        using var workload = new TrainingWorkload<double>(
            () => new LocalTrainer<double>(new Quadratics(), local), Quadratics.Data, local, strategy.Compression, state, 1, versions, threads: 2);
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

using Federated.Aggregation.Anarchic;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.ExampleWeights;
using Federated.Aggregation.ServerOptimizers;
using Federated.Aggregation.Staleness;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Simulation.Results;
using Federated.Training.LocalObjectives;

namespace Federated.Simulation.Tests.Engine;

/// <summary>
/// The scalar golden vectors (reference/algorithms.md, H1; nine digits or more, computed independently), through the whole path: devices,
/// simulator, run machine, training pool, aggregator, server optimizer. In double.
/// </summary>
public sealed class GoldenVectorTests
{
    private const double Tolerance = 1e-9;

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
        AssertVersions(expected, Versions(strategy, clients, 3, ScalarRun.ThreeFullSteps with { Steps = 5 }));
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

    [Fact]
    public void AFA_CS_gives_the_golden_versions()
    {
        // One update from each of two silos, then arrivals (silo, base, K): (0,0,2) (0,1,4) (1,1,3) (0,3,1); η = 3. Silo 0 has two devices,
        // as it pulls version 1 before it has sent what it learned from version 0: device 2 stands beside device 0. It comes too late for
        // version 0, so that it begins with version 1.
        var strategy = new StrategyOptions
        {
            Scheduler = new AnarchicOptions { InitialClients = 2 },
            ExampleWeight = new EqualExampleWeight(),
            Aggregator = new AnarchicMemoryOptions(),
            ServerOptimizer = new SgdOptions { LearningRate = 3 },
        };
        var clients = ScalarRun.Table([1, 1.8, 100], [2, 2.2, 100], [100, 1.2, 1]) with { Effort = new EffortOptions { Table = [[3, 2, 1], [3], [1, 4, 1]] } };
        var (models, updates) = new ScalarRun(strategy, clients, 5)
        {
            Data = Quadratics.Data with { Clients = [.. Quadratics.Data.Clients, Quadratics.Data.Clients[0]] },
            Run = new RunOptions { ClientTimeout = 2.3 },
            Between = static workload => new TwoDevices(workload),
        }.Play();
        AssertVersions([0.421, -0.137, -0.6609432125, -0.994684925, -1.090841943], models);
        Assert.Equal(
            [(0, 0, 3), (1, 0, 3), (0, 0, 2), (2, 1, 4), (1, 1, 3), (2, 3, 1)],
            updates.Where(u => u.Outcome == UpdateOutcome.Accepted).Select(u => (u.Client, u.BaseVersion, u.LocalSteps)));
    }

    [Fact]
    public void SCAFFOLDs_control_variates_are_the_golden_ones()
    {
        var expected = new[] { (1.93, -2.71, 6.57), (1.436613333, -3.681563333, 6.55479), (0.8114667244, -4.117109291, 5.74004274) };
        var seen = new List<(double Server, double First, double Second)>();
        _ = new ScalarRun(Uniform with { Objective = new ScaffoldOptions() }, new ClientsOptions { Count = 2 }, 3)
        {
            Look = (state, workload) => seen.Add((
                state.Current.Extras[Scaffold<double>.ServerControl].Span[0],
                workload.StateOf(0)[Scaffold<double>.ClientControl].Span[0],
                workload.StateOf(1)[Scaffold<double>.ClientControl].Span[0])),
        }.Play();
        Assert.Equal(3, seen.Count);
        for (var round = 0; round < 3; round++)
        {
            Assert.Equal(expected[round].Item1, seen[round].Server, Tolerance);
            Assert.Equal(expected[round].Item2, seen[round].First, Tolerance);
            Assert.Equal(expected[round].Item3, seen[round].Second, Tolerance);
        }
    }

    [Fact]
    public void FedDyns_drifts_are_the_golden_ones()
    {
        var expected = new[] { (0.77175, -1.86525), (1.725536531, -2.857329844), (2.707144662, -3.382854734) };
        var seen = new List<(double First, double Second)>();
        _ = new ScalarRun(Uniform with { Objective = new FedDynOptions { Alpha = 0.5 } }, new ClientsOptions { Count = 2 }, 3)
        {
            Look = (_, workload) => seen.Add((
                workload.StateOf(0)[FedDyn<double>.ClientDrift].Span[0], workload.StateOf(1)[FedDyn<double>.ClientDrift].Span[0])),
        }.Play();
        Assert.Equal(3, seen.Count);
        for (var round = 0; round < 3; round++)
        {
            Assert.Equal(expected[round].Item1, seen[round].First, Tolerance);
            Assert.Equal(expected[round].Item2, seen[round].Second, Tolerance);
        }
    }

    [Fact]
    public void FedDyn_with_exact_local_solutions_goes_to_the_uniform_optimum()
    {
        // 300 steps of rate 0.1 contract by 0.85 each at the least: exact to 1e-21.
        var models = Versions(
            Uniform with { Objective = new FedDynOptions { Alpha = 0.5 } }, new ClientsOptions { Count = 2 }, 200,
            ScalarRun.ThreeFullSteps with { Steps = 300 });
        Assert.Equal(-0.5, models[^1], Tolerance);
    }

    [Fact]
    public void FedAsync_with_a_mixing_of_one_and_one_client_is_that_clients_training()
    {
        var strategy = new StrategyOptions
        {
            Scheduler = new ImmediateOptions { Concurrency = 1, Mixing = 1 },
            Aggregator = new WeightedMeanOptions { Normalisation = Normalisation.None },
        };
        var models = new ScalarRun(strategy, new ClientsOptions { Count = 1 }, 5) { Data = Quadratics.Data with { Clients = [Quadratics.Data.Clients[0]] } }.Play().Models;
        var expected = 1.0;
        foreach (var model in models)
        {
            expected = 4 + ((expected - 4) * 0.9 * 0.9 * 0.9); // Three steps of rate 0.1 on ½(w − 4)².
            Assert.Equal(expected, model, 1e-12);
        }
    }

    [Theory]
    [InlineData(true, -0.5, 0.05)]
    [InlineData(false, 2.5, 0.1)]
    public void Corrected_weights_find_the_optimum_under_nine_to_one_arrivals_and_identical_ones_the_surrogate(bool corrected, double expected, double tolerance)
    {
        var strategy = new StrategyOptions
        {
            Scheduler = new BufferedOptions { Concurrency = 2, AggregationGoal = 1 },
            ExampleWeight = new EqualExampleWeight(),
            CorrectParticipation = corrected,
            Aggregator = new WeightedMeanOptions { Normalisation = Normalisation.None },
            ServerOptimizer = new SgdOptions { LearningRate = 0.02 },
        };
        var models = Versions(strategy, Table([1], [9]), 10_000, ScalarRun.ThreeFullSteps with { Steps = 1 });
        Assert.Equal(expected, models.TakeLast(1000).Average(), tolerance);
    }

    private static ClientsOptions Table(params double[][] rows) => ScalarRun.Table(rows);

    private static void AssertVersions(double[] expected, List<double> actual)
    {
        Assert.Equal(expected.Length, actual.Count);
        for (var version = 0; version < expected.Length; version++)
        {
            // The reference prints ten digits.
            Assert.Equal(expected[version], actual[version], Tolerance);
        }
    }

    private static List<double> Versions(StrategyOptions strategy, ClientsOptions clients, int versions, LocalTraining? training = null) =>
        new ScalarRun(strategy, clients, versions) { Training = training ?? ScalarRun.ThreeFullSteps }.Play().Models;

    private sealed class TwoDevices(IWorkload inner) : PassingWorkload(inner)
    {
        public override void Accumulate(int slot, Accumulate effect) => base.Accumulate(
            slot, effect.Assignment.Client.Value == 2 ? effect with { Assignment = effect.Assignment with { Client = new ClientId(0) } } : effect);
    }
}

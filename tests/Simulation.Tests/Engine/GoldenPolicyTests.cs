using Federated.Aggregation.Averaging;
using Federated.Aggregation.ExampleWeights;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Aggregation.ServerOptimizers;
using Federated.Aggregation.Staleness;
using Federated.Coordinator.Scheduling;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Simulation.Results;
using Federated.Training.LocalObjectives;
using Federated.Training.Models;
using ClientSgd = Federated.Training.Optimizers.SgdOptions;

namespace Federated.Simulation.Tests.Engine;

/// <summary>The golden values of weights, step counts and server optimizers (reference/algorithms.md, H1) as they come out of whole runs.</summary>
public sealed class GoldenPolicyTests
{
    private const double Tolerance = 1e-9;

    [Theory]
    [InlineData(4, 0, new[] { -0.025, -0.05, -0.075, -0.19, -0.215, -0.24, -0.265, -0.461 })]
    [InlineData(4, 0.1, new[] { -0.025, -0.05, -0.075, -0.163, -0.197, -0.231, -0.265, -0.4097 })]
    [InlineData(1, 0, new[] { -0.19, -0.461, -0.8049 })]
    public void Delayed_Nesterov_steps_as_published(int window, double activation, double[] expected)
    {
        // One client whose gradient is 0.2 everywhere; outer rate 0.5, momentum 0.9.
        var strategy = new StrategyOptions
        {
            Scheduler = new BufferedOptions { Concurrency = 1, AggregationGoal = 1 },
            ServerOptimizer = new DelayedNesterovOptions { LearningRate = 0.5, Momentum = 0.9, Window = window, Activation = activation },
        };
        var models = new ScalarRun(strategy, new ClientsOptions { Count = 1 }, expected.Length)
        {
            Start = 0,
            Model = () => new Slope(),
            Training = new LocalTraining { Steps = 1, BatchSize = 0, Optimizer = new ClientSgd { LearningRate = 1 } },
        }.Play().Models;
        for (var version = 0; version < expected.Length; version++)
        {
            Assert.Equal(expected[version], models[version], Tolerance);
        }
    }

    [Theory]
    [InlineData(0.008, 4)]
    [InlineData(0.004, 19)]
    [InlineData(0.002, 76)]
    [InlineData(0.001, 306)]
    [InlineData(0.0005, 1225)]
    [InlineData(0.00025, 4900)]
    public void The_quadratic_rule_asks_for_the_golden_steps(double rate, int expected)
    {
        var strategy = new StrategyOptions
        {
            Scheduler = new SynchronousOptions { Cohort = 2 },
            StepPolicy = new QuadraticSynchronizationOptions { BaseSteps = 4, Coefficient = 0.0175 },
        };
        var updates = new ScalarRun(strategy, new ClientsOptions { Count = 2 }, 1)
        {
            Training = ScalarRun.ThreeFullSteps with { Optimizer = new ClientSgd { LearningRate = rate } },
        }.Play().Updates;
        Assert.All(updates, u => Assert.Equal(expected, u.LocalSteps));
    }

    public static TheoryData<StalenessWeight, (double Seconds, double Weight)[]> Weights => new()
    {
        { new HingeStaleness { Slope = 10, Bound = 4 }, [(4.5, 1), (5.5, 1 / 11.0), (6.5, 1 / 21.0), (14.5, 1 / 101.0)] },
        { new PolynomialStaleness { Exponent = 0.5 }, [(4.5, 0.4472135955), (5.5, 0.4082482905)] },
    };

    [Theory]
    [MemberData(nameof(Weights))]
    public void Stale_updates_weigh_what_the_function_says(StalenessWeight function, (double Seconds, double Weight)[] expected)
    {
        foreach (var (seconds, weight) in expected)
        {
            // The first client makes a version per second; the second comes once, when ⌊seconds⌋ versions have been made.
            var strategy = new StrategyOptions
            {
                Scheduler = new BufferedOptions { Concurrency = 2, AggregationGoal = 1 },
                ExampleWeight = new EqualExampleWeight(),
                StalenessWeight = function,
                Aggregator = new WeightedMeanOptions { Normalisation = Normalisation.Count },
            };
            var updates = new ScalarRun(strategy, ScalarRun.Table([1], [seconds, 100]), 20).Play().Updates;
            var late = Assert.Single(updates, u => u is { Client: 1, Outcome: UpdateOutcome.Accepted });
            Assert.Equal((int)seconds, late.Staleness);
            Assert.Equal(weight, late.Weight, Tolerance);
        }
    }

    [Theory]
    [InlineData(1, 0.9, 0, 1)]
    [InlineData(2, 0.9, 0, 2.9)]
    [InlineData(5, 0.9, 0, 13.1441)]
    [InlineData(5, 0, 1, 4.0951)]
    public void FedNova_is_told_the_golden_step_weights(int steps, double momentum, double mu, double expected)
    {
        var strategy = new StrategyOptions
        {
            Scheduler = new SynchronousOptions { Cohort = 2 },
            Aggregator = new FedNovaOptions(),
            Objective = mu > 0 ? new FedProxOptions { Mu = mu } : new PlainObjectiveOptions(),
        };
        var told = new List<double>();
        _ = new ScalarRun(strategy, new ClientsOptions { Count = 2 }, 2)
        {
            Training = new LocalTraining { Steps = steps, BatchSize = 0, Optimizer = new ClientSgd { LearningRate = 0.1, Momentum = momentum } },
            Between = workload => new Listening(workload, told),
        }.Play();
        Assert.Equal(4, told.Count);
        Assert.All(told, weight => Assert.Equal(expected, weight, Tolerance));
    }

    [Fact]
    public void Immediate_aggregation_has_the_golden_importances_and_corrected_weights()
    {
        // T = (1, 0.6, 0.2) in units of five seconds. Everything repeats after 15 seconds and 23 versions; whole periods are counted.
        var strategy = new StrategyOptions
        {
            Scheduler = new BufferedOptions { Concurrency = 3, AggregationGoal = 1 },
            ExampleWeight = new EqualExampleWeight(),
            CorrectParticipation = true,
            Aggregator = new WeightedMeanOptions { Normalisation = Normalisation.None },
        };
        var updates = new ScalarRun(strategy, ScalarRun.Table([5], [3], [1]), 10 * 23)
        {
            Data = Quadratics.Data with { Clients = [.. Quadratics.Data.Clients, Quadratics.Data.Clients[0]] },
            Training = ScalarRun.ThreeFullSteps with { Optimizer = new ClientSgd { LearningRate = 1e-6 } },
        }.Play().Updates;
        var whole = updates.Where(u => u.Outcome == UpdateOutcome.Accepted).Skip(23).ToList();
        (double Importance, double Weight)[] expected =
            [(0.1304347826, 2.555555556), (0.2173913043, 1.533333333), (0.6521739130, 0.5111111111)];
        for (var client = 0; client < 3; client++)
        {
            var own = whole.Where(u => u.Client == client).ToList();
            Assert.Equal(expected[client].Importance, (double)own.Count / whole.Count, Tolerance);
            Assert.Equal(expected[client].Weight, own.Average(u => u.Weight), Tolerance);
        }
    }

    private sealed class Listening(IWorkload inner, List<double> told) : PassingWorkload(inner)
    {
        public override TaskResult Complete(int slot)
        {
            var result = base.Complete(slot);
            told.Add(result.StepWeight);
            return result;
        }
    }

    private sealed class Slope : IModel<double>
    {
        public ParameterLayout Layout { get; } = ParameterLayout.Of(("w", [1]));

        public void Initialize(Span<double> parameters, SeededRandom random) => parameters.Clear();

        public double Gradient(ReadOnlySpan<double> parameters, in Batch<double> batch, Span<double> gradient)
        {
            gradient[0] = 0.2;
            return 0.2 * parameters[0];
        }

        public Evaluation Evaluate(ReadOnlySpan<double> parameters, in Batch<double> batch) => default;
    }
}

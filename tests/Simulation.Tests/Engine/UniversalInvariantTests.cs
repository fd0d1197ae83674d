using Federated.Aggregation;
using Federated.Aggregation.Anarchic;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using Federated.Aggregation.ExampleWeights;
using Federated.Aggregation.Robust;
using Federated.Aggregation.ServerOptimizers;
using Federated.Coordinator.Scheduling;
using Federated.Simulation.Devices;
using ClientSgd = Federated.Training.Optimizers.SgdOptions;

namespace Federated.Simulation.Tests.Engine;

/// <summary>What holds for every aggregator and server optimizer through a whole run (reference/algorithms.md §0, 2 and 3).</summary>
public sealed class UniversalInvariantTests
{
    private const int Clients = 12;

    public static TheoryData<AggregatorOptions> EveryAggregator => new(
        new WeightedMeanOptions(), new WeightedMeanOptions { Normalisation = Normalisation.Count }, new FedNovaOptions(), new AnarchicMeanOptions(),
        new AnarchicMemoryOptions(), new MedianOptions(), new TrimmedMeanOptions { Beta = 0.2 }, new KrumOptions { Byzantine = 2 },
        new MultiKrumOptions { Byzantine = 2 }, new BulyanOptions { Byzantine = 2 }, new GeometricMedianOptions(), new CenteredClippingOptions(),
        new NormBoundingOptions { Bound = 100 }, new NearestNeighbourMixingOptions { Byzantine = 2 },
        new NearestNeighbourAveragingOptions { Byzantine = 2 }, new ShiftedMeanOptions { Clients = Clients });

    [Theory]
    [MemberData(nameof(EveryAggregator))]
    public void Equal_clients_that_do_one_step_make_one_step_of_gradient_descent(AggregatorOptions aggregator)
    {
        // F(w) = ½(w − 4)² at every client: w ← w − 0.1·(w − 4).
        var models = Run(aggregator, new SgdOptions(), start: 1, versions: 3);
        var expected = 1.0;
        foreach (var model in models)
        {
            expected -= 0.1 * (expected - 4);
            Assert.Equal(expected, model, 1e-12);
        }
    }

    [Theory]
    [MemberData(nameof(EveryAggregator))]
    public void A_model_that_nobody_changes_stays_as_it_is(AggregatorOptions aggregator) =>
        Assert.All(Run(aggregator, new SgdOptions(), start: 4, versions: 3), model => Assert.Equal(4, model));

    public static TheoryData<ServerOptimizerOptions> EveryOptimizer => new(
        new SgdOptions(), new MomentumOptions(), new NesterovOptions(), new DelayedNesterovOptions { Window = 2, Activation = 0.2 },
        new AdagradOptions(), new YogiOptions(), new AdamOptions(), new AdamOptions { BiasCorrection = true });

    [Theory]
    [MemberData(nameof(EveryOptimizer))]
    public void No_optimizer_moves_a_model_that_nobody_changes(ServerOptimizerOptions optimizer) =>
        Assert.All(Run(new WeightedMeanOptions(), optimizer, start: 4, versions: 5), model => Assert.Equal(4, model));

    private static List<double> Run(AggregatorOptions aggregator, ServerOptimizerOptions optimizer, double start, int versions)
    {
        var strategy = new StrategyOptions
        {
            Scheduler = new SynchronousOptions { Cohort = Clients },
            ExampleWeight = new EqualExampleWeight(),
            Aggregator = aggregator,
            ServerOptimizer = optimizer,
            Compression = aggregator is ShiftedMeanOptions
                ? new CompressionOptions { Codec = new TopKOptions { Ratio = 1 }, Feedback = new Ef21Options() }
                : new CompressionOptions(),
        };
        var models = new ScalarRun(strategy, new ClientsOptions { Count = Clients }, versions)
        {
            Start = start,
            Data = Quadratics.Data with { Clients = [.. Enumerable.Repeat(Quadratics.Data.Clients[0], Clients)] },
            Training = new LocalTraining { Steps = 1, BatchSize = 0, Optimizer = new ClientSgd { LearningRate = 0.1 } },
        }.Play().Models;
        Assert.True(models.Count >= versions, $"{models.Count} models of {versions} versions.");
        return models;
    }
}

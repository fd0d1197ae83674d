using Federated.Aggregation;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Aggregation.ServerOptimizers;
using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Training.Data;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Models;
using ClientSgd = Federated.Training.Optimizers.SgdOptions;

namespace Federated.Simulation.Tests.Engine;

/// <summary>
/// Golden traces of compressed updates (reference/algorithms.md, H1) through the whole path: the client trains, its encoder encodes, the
/// server adds the message while it decodes it. f(x) = ½xᵀ[[1, ½], [½, 2]]x, x⁰ = (2, −1), γ = 0.25, top-1, one client.
/// </summary>
public sealed class CompressionGoldenTests
{
    private const double Step = 0.25;

    private static readonly double[] Start = [2, -1];

    [Fact]
    public void Ef14_gives_the_golden_versions() => AssertVersions(
        [
            (1.625, -1), (1.625, -0.453125), (0.994140625, -0.453125), (0.8022460938, -0.453125), (0.8022460938, -0.2011108398),
            (0.4829025269, -0.2011108398),
        ],
        Run(new ErrorFeedbackOptions(), new WeightedMeanOptions(), restore: false));

    [Fact]
    public void Ef21_gives_the_golden_versions() => AssertVersions(Ef21, Run(new Ef21Options(), Shifted, restore: true));

    [Fact]
    public void EControl_without_strength_is_Ef21() =>
        AssertVersions(Ef21, Run(new EControlOptions { Strength = 0 }, Shifted, restore: true));

    [Fact]
    public void EControl_gives_the_golden_versions() => AssertVersions(
        [
            (1.625, -0.75), (1.25, -0.578125), (1.041015625, -0.40625), (0.83203125, -0.3527832031), (0.6835021973, -0.2993164062),
            (0.5577316284, -0.2458496094),
        ],
        Run(new EControlOptions { Strength = 0.5 }, Shifted, restore: true));

    private static (double, double)[] Ef21 =>
    [
        (1.625, -0.75), (1.25, -0.578125), (1.009765625, -0.40625), (0.76953125, -0.3293457031), (0.6183166504, -0.2524414062),
        (0.4952926636, -0.1755371094),
    ];

    private static ShiftedMeanOptions Shifted { get; } = new() { Clients = 1 };

    private static void AssertVersions((double X, double Y)[] expected, List<double[]> actual)
    {
        Assert.Equal(expected.Length, actual.Count);
        for (var version = 0; version < expected.Length; version++)
        {
            // The reference prints ten decimals.
            Assert.Equal(expected[version].X, actual[version][0], 1e-9);
            Assert.Equal(expected[version].Y, actual[version][1], 1e-9);
        }
    }

    /// <param name="restore">Whether both sides start from h⁰ = u⁰, as the reference's trace does, instead of 0.</param>
    private static List<double[]> Run(FeedbackOptions feedback, AggregatorOptions aggregation, bool restore)
    {
        var compression = new CompressionOptions { Codec = new TopKOptions { Ratio = 0.5 }, Feedback = feedback };
        var aggregator = Aggregators.Create<double>(aggregation, 2);
        var state = new ModelState<double>([.. Start], aggregator, new Sgd<double>(new()));
        var options = new RunOptions { Stop = new StopOptions { Versions = 6 } };
        var local = new LocalTraining { Steps = 1, BatchSize = 0, Optimizer = new ClientSgd { LearningRate = Step } };
        var steps = local.With(new PlainObjectiveOptions());
        using var workload = new TrainingWorkload<double>(
            () => new LocalTrainer<double>(new Paraboloid(), steps), Paraboloid.Data, steps, compression, state, 1, 6, threads: 2);
        if (restore)
        {
            double[] first = [-Step * (Start[0] + (0.5 * Start[1])), -Step * ((0.5 * Start[0]) + (2 * Start[1]))];
            first.CopyTo(aggregator.State["shift"]);
            first.CopyTo(workload.EncoderOf(0)!.State["shift"]);
        }

        var models = new Models(state);
        var scheduler = Schedulers.Create(new SynchronousOptions { Cohort = 1 }, new FixedWork(local.Work), UpdateWeight.Equal);
        new Simulator(
            new RunMachine(options, scheduler), options, new Fleet(new ClientsOptions { Count = 1 }, 1, 1), workload, models, TimeProvider.System)
            .Run(CancellationToken.None);
        if (aggregation is ShiftedMeanOptions)
        {
            Assert.Equal(workload.EncoderOf(0)!.State["shift"].ToArray(), aggregator.State["shift"].ToArray());
        }

        return models.Versions;
    }

    private sealed class Models(ModelState<double> state) : ISimulationObserver
    {
        public List<double[]> Versions { get; } = [];

        public void OnVersion(in VersionPublished version) => Versions.Add([.. state.Current.Parameters]);
    }

    private sealed class Paraboloid : IModel<double>
    {
        public static FederatedData Data { get; } = new(
            new DataSet("paraboloid", [0], [0], [1], 2), new DataSet("none", [], [], [1], 2), [new ClientShard("0", [0], [])]);

        public ParameterLayout Layout { get; } = ParameterLayout.Of(("x", [2]));

        public void Initialize(Span<double> parameters, SeededRandom random) => Start.CopyTo(parameters);

        public double Gradient(ReadOnlySpan<double> parameters, in Batch<double> batch, Span<double> gradient)
        {
            var (x, y) = (parameters[0], parameters[1]);
            (gradient[0], gradient[1]) = (x + (0.5 * y), (0.5 * x) + (2 * y));
            return ((x * x) + (x * y) + (2 * y * y)) / 2;
        }

        public Evaluation Evaluate(ReadOnlySpan<double> parameters, in Batch<double> batch) => default;
    }
}

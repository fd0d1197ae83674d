using Federated.Aggregation.ExampleWeights;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Privacy.Pipeline;
using Federated.Simulation;
using Federated.Training;
using Federated.Training.Data;
using Federated.Training.Data.Generators;
using Federated.Training.LocalTraining;
using Federated.Training.Models;
using Federated.Training.Optimizers;

namespace Federated.Client.TorchSharp.Tests;

/// <summary><c>trainer: torch</c> in an experiment.</summary>
public sealed class ExperimentTests
{
    private static readonly ExperimentConfiguration Digits = new()
    {
        Data = new DataOptions { Source = new DrawnDigitsOptions { Writers = 12, TrainPerWriter = 100, TestPerWriter = 40, Size = 14 } },
        Model = new MultilayerPerceptronOptions { Hidden = [32] },
        Threads = 1,
        Training = new Simulation.LocalTraining { Epochs = 4 },
        Strategy = new StrategyOptions { Scheduler = new SynchronousOptions { Cohort = 8 } },
        Run = new RunOptions { Stop = new StopOptions { Versions = 6 } },
    };

    [Fact]
    public void EndsWhereTheManagedTrainerEnds()
    {
        var managed = Run(Digits);
        var torch = Run(Digits with { Trainer = new TorchTrainerOptions() });
        Assert.True(managed.FinalAccuracy > 0.5, $"The managed run ends at {managed.FinalAccuracy:P1}.");
        Assert.Equal(managed.FinalAccuracy, torch.FinalAccuracy, 0.005);
        Assert.Equal(managed.FinalLoss, torch.FinalLoss, 0.005);
        Assert.Equal(managed.Accepted, torch.Accepted);
    }

    [Fact]
    public void HasTheSameBitsOnAnyNumberOfThreads()
    {
        var configuration = Digits with { Trainer = new TorchTrainerOptions(), Run = new RunOptions { Stop = new StopOptions { Versions = 2 } } };
        Assert.Equal(Run(configuration).ModelSha256, Run(configuration with { Threads = 3 }).ModelSha256);
    }

    [Fact]
    public void WithBuffersThatStayIsRefused()
    {
        var refusal = Assert.Throws<TrainingException>(() => Run(Digits with { Trainer = new TorchTrainerOptions { Buffers = BufferPolicy.Keep } }));
        Assert.Contains("buffers: travel or reset", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UnderExamplePrivacyItLearnsRepeatablyAndSaysWhatThatCosts()
    {
        var configuration = Digits with
        {
            Trainer = new TorchTrainerOptions(),
            Training = new Simulation.LocalTraining { Steps = 10, Epochs = 0, BatchSize = 10, Optimizer = new SgdOptions { LearningRate = 0.3 } },
            Strategy = Digits.Strategy with { ExampleWeight = new EqualExampleWeight() },
            Privacy = new ExamplePrivacyOptions { ClipNorm = 1, NoiseMultiplier = 0.7, SamplingRate = 0.1, MaxParticipations = 6, Delta = 1e-4 },
            Run = new RunOptions { Stop = new StopOptions { Versions = 6 } },
        };
        var summary = Run(configuration);
        Assert.True(summary.FinalAccuracy > 0.3, $"It ends at {summary.FinalAccuracy:P1}; a tenth would be chance.");
        Assert.Equal(summary.ModelSha256, Run(configuration with { Threads = 3 }).ModelSha256);

        // One example's part: at most six assignments of ten Poisson-sampled Gaussian steps each.
        var planned = summary.Privacy!.Planned!;
        var relation = new NeighbourRelation(PrivacyUnit.Example, Adjacency.AddRemove);
        var expected = new PldAccountant().Epsilon(new RepeatedEvent(new PoissonSampledEvent(0.1, new GaussianEvent(relation, 0.7)), 60), 1e-4);
        Assert.Equal((relation, TrustModel.Local), (planned.Relation, planned.Trust));
        Assert.Equal(expected, planned.Epsilon, 1e-3 * expected);
        Assert.InRange(summary.Privacy.Spent!.Epsilon, 0.01, planned.Epsilon);
        Assert.Contains("seed", planned.Assumptions[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void ExamplePrivacyIsRefusedWhereItCouldNotBeKept()
    {
        var privately = Digits with { Strategy = Digits.Strategy with { ExampleWeight = new EqualExampleWeight() }, Privacy = new ExamplePrivacyOptions(), Training = new Simulation.LocalTraining { Steps = 2, Epochs = 0 } };
        Refused("trainer: torch", privately);
        Refused("training.steps", privately with { Trainer = new TorchTrainerOptions(), Training = new Simulation.LocalTraining { Epochs = 1 } });
        Refused("equal weights", privately with { Trainer = new TorchTrainerOptions(), Strategy = Digits.Strategy with { ExampleWeight = new LinearExampleWeight() } });

        static void Refused(string advice, ExperimentConfiguration configuration) =>
            Assert.Contains(advice, Assert.Throws<SimulationException>(() => Run(configuration)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void InDoublePrecisionIsRefused()
    {
        var refusal = Assert.Throws<SimulationException>(() => Run(Digits with { Trainer = new TorchTrainerOptions(), Precision = NumberFormat.Float64 }));
        Assert.Contains("float32", refusal.Message, StringComparison.Ordinal);
    }

    private static Simulation.Results.RunSummary Run(ExperimentConfiguration configuration) =>
        Experiment.Prepare(configuration, ".", [new TorchTrainerFactory()]).Run(null, TimeProvider.System, CancellationToken.None).Summary;
}

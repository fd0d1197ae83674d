using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
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
    public void InDoublePrecisionIsRefused()
    {
        var refusal = Assert.Throws<SimulationException>(() => Run(Digits with { Trainer = new TorchTrainerOptions(), Precision = NumberFormat.Float64 }));
        Assert.Contains("float32", refusal.Message, StringComparison.Ordinal);
    }

    private static Simulation.Results.RunSummary Run(ExperimentConfiguration configuration) =>
        Experiment.Prepare(configuration, ".", [new TorchTrainerFactory()]).Run(null, TimeProvider.System, CancellationToken.None).Summary;
}

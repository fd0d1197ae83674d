using System.Diagnostics;
using Federated.Training.LocalTraining;
using Federated.Training.Optimizers;

namespace Federated.Client.TorchSharp.Tests;

/// <summary>Memory is the whole process's, so nothing else may run meanwhile.</summary>
[Collection(nameof(LeakTests))]
[CollectionDefinition(nameof(LeakTests), DisableParallelization = true)]
public sealed class LeakTests
{
    private static readonly LocalTrainingOptions Momentum = new() { Optimizer = new SgdOptions { LearningRate = 0.01, Momentum = 0.9 } };

    [Fact]
    public void TenThousandStepsLeaveNoTensorBehindAndNoMemory()
    {
        var data = TestData.Images(200);
        using var trainer = TestData.Torch(TestData.Perceptron, data, Momentum);
        var start = TestData.Initial(trainer.Model);
        TestData.Train(trainer, data, start, 500);
        var (tensors, bytes) = (Live(), Resident());
        for (var task = 0; task < 10; task++)
        {
            TestData.Train(trainer, data, start, 1000, seed: (ulong)task);
        }

        Assert.Equal(tensors, Live());
        var grown = (Resident() - bytes) / (1024.0 * 1024.0);
        Assert.True(grown < 24, $"10,000 steps of a model of some kilobytes left {grown:0.0} MiB more in memory.");
    }

    [Fact]
    public void ATrainerThatIsDisposedLeavesNoTensorBehind()
    {
        var data = TestData.Images(20);
        var before = Live();
        for (var i = 0; i < 3; i++)
        {
            // No convolutions: TorchSharp 0.107.0 leaves a tensor of each new one to the finalizer.
            using var trainer = TestData.Torch(TestData.Perceptron, data, Momentum, new TorchTrainerOptions { Precision = TorchPrecision.Bfloat16 });
            TestData.Train(trainer, data, TestData.Initial(trainer.Model), 2);
        }

        Assert.Equal(before, Live());
    }

    private static long Live() => DisposeScopeManager.Statistics.ThreadTotalLiveCount;

    private static long Resident()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}

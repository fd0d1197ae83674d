using Federated.Client.TorchSharp.Data;
using Federated.Client.TorchSharp.Losses;

namespace Federated.Client.TorchSharp.Tests;

/// <summary>libtorch's generator is the whole process's, and other tests make modules without taking turns.</summary>
[Collection(nameof(LeakTests))]
public sealed class DeterminismTests
{
    [Fact]
    public void ATaskHasTheSameBitsWhateverWasTrainedBeforeIt()
    {
        var data = TestData.Images(60);
        using var fresh = TestData.Torch(TestData.Convolutional, data);
        using var used = TestData.Torch(TestData.Convolutional, data);
        var start = TestData.Initial(fresh.Model);
        TestData.Train(used, data, start, 9, seed: 99);
        Assert.Equal(TestData.Train(fresh, data, start, 10).Delta, TestData.Train(used, data, start, 10).Delta);
    }

    [Fact]
    public void ModulesThatDrawRandomNumbersHaveTheSameBitsOnAnyNumberOfThreads()
    {
        var data = TestData.Images(60);
        using var alone = Dropping();
        Assert.True(((TorchModel)alone.Model).DrawsRandomNumbers);
        var start = TestData.Initial(alone.Model);
        var expected = Enumerable.Range(0, 4).Select(task => TestData.Train(alone, data, start, 15, seed: (ulong)task).Delta).ToArray();

        var actual = new float[4][];
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, task =>
        {
            using var trainer = Dropping();
            actual[task] = TestData.Train(trainer, data, start, 15, seed: (ulong)task).Delta;
        });
        Assert.Equal(expected, actual);
        Assert.NotEqual(actual[0], actual[1]);
    }

    [Fact]
    public void InitialValuesFollowTheSeed()
    {
        using var first = Dropping();
        using var second = Dropping();
        Assert.Equal(TestData.Initial(first.Model, 5), TestData.Initial(second.Model, 5));
        Assert.NotEqual(TestData.Initial(first.Model, 5), TestData.Initial(first.Model, 6));
    }

    private static TorchTrainer Dropping() => new(
        new TorchModel(
            () => nn.Sequential(("flatten", nn.Flatten()), ("fc1", nn.Linear(64, 16)), ("drop", nn.Dropout(0.5)), ("fc2", nn.Linear(16, TestData.Classes))),
            new CrossEntropyLoss(), new DataSetReader([1, 8, 8])),
        new TorchTrainingOptions());
}

using Federated.Client.TorchSharp.Data;
using Federated.Client.TorchSharp.Losses;
using Federated.Client.TorchSharp.Modules;
using Federated.Training;
using Federated.Training.Data;
using Federated.Training.Models;

namespace Federated.Client.TorchSharp.Tests.Data;

public sealed class DataBridgeTests
{
    [Fact]
    public void ATorchDatasetTrainsAsTheTableThatItWasMadeFrom()
    {
        var data = TestData.Images(45);
        using var dataset = new TorchDataset(data);
        var reader = new TorchDatasetReader(dataset);
        var module = TorchModules.Create(TestData.Convolutional, data.ExampleShape, data.Classes);
        using var bridged = new TorchTrainer(new TorchModel(module.Create, new CrossEntropyLoss(), reader), new TorchTrainingOptions());
        using var direct = TestData.Torch(TestData.Convolutional, data);
        var start = TestData.Initial(direct.Model);
        Assert.Equal(TestData.Train(direct, data, start, 12).Delta, TestData.Train(bridged, reader.Indices, start, 12).Delta);
    }

    [Fact]
    public void AMissingKeyIsNamed()
    {
        using var dataset = new TorchDataset(TestData.Images(2));
        var reader = new TorchDatasetReader(dataset, target: "answer");
        var refusal = Assert.Throws<TrainingException>(() => reader.Read(new Batch<float>([], [0], 1), CPU));
        Assert.Contains("'answer'; it has data, label", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ATorchDataLoaderReadsOurExamples()
    {
        using var scope = NewDisposeScope();
        var data = TestData.Images(5);
        using var dataset = new TorchDataset(data, [4, 2, 0]);
        using var loader = utils.data.DataLoader(dataset, 2, shuffle: false);
        var labels = new List<long>();
        foreach (var batch in loader)
        {
            Assert.Equal([1, 8, 8], batch["data"].shape[1..]);
            labels.AddRange(batch["label"].data<long>().ToArray());
        }

        Assert.Equal([data.Labels[4], data.Labels[2], data.Labels[0]], labels);
    }

    [Fact]
    public void SymbolsReachTheModuleAsIntegers()
    {
        using var scope = NewDisposeScope();
        var (input, target) = new DataSetReader([3], integers: true).Read(new Batch<float>([7, 300, 2], [1], 1), CPU);
        Assert.Equal((ScalarType.Int64, ScalarType.Int64), (input.dtype, target.dtype));
        Assert.Equal([7L, 300, 2], input.data<long>().ToArray());
    }
}

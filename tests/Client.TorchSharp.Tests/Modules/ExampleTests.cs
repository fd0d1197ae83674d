using System.Text;
using Federated.Aggregation.Parameters;
using Federated.Client.TorchSharp.Modules;
using Federated.Training;
using Federated.Training.LocalTraining;
using Federated.Training.Models;
using Federated.Training.Optimizers;

namespace Federated.Client.TorchSharp.Tests.Modules;

/// <summary>The models of experiments/torch, small: each learns, and what travels is what should.</summary>
public sealed class ExampleTests
{
    private static readonly CharacterTransformerOptions Transformer = new() { Width = 16, Heads = 2, Layers = 2 };

    [Fact]
    public void TheResidualNetworkLearns()
    {
        var data = TestData.Textures(150);
        using var trainer = TestData.Torch(new ResidualNetworkOptions { Channels = [8, 16], Groups = 4 }, data, new LocalTrainingOptions { Optimizer = new SgdOptions { LearningRate = 0.05 } });
        Assert.Equal(trainer.Model.Layout.Count, ((TorchModel)trainer.Model).Flat.TrainedCount);
        Learns(trainer, data, steps: 120, atLeast: 0.9);
    }

    [Fact]
    public void TheCharacterLstmLearns()
    {
        var data = TestData.Text(200, length: 6, symbols: 7);
        using var trainer = TestData.Torch(
            new CharacterLstmOptions { Embedding = 8, Hidden = 24, Layers = 2 }, data, new LocalTrainingOptions { Optimizer = new AdamOptions { LearningRate = 0.01 } });
        Assert.Contains("lstm.weight_ih_l1", trainer.Model.Layout.Tensors.Select(t => t.Name));
        Learns(trainer, data, steps: 150, atLeast: 0.95);
    }

    [Fact]
    public void TheTransformerLearnsWhole()
    {
        var data = TestData.Text(200, length: 6, symbols: 7);
        using var trainer = TestData.Torch(Transformer, data, new LocalTrainingOptions { Optimizer = new AdamOptions { LearningRate = 0.01 } });
        Learns(trainer, data, steps: 100, atLeast: 0.95);
    }

    [Fact]
    public void OnlyTheAdaptersTravelAndTheyLearn()
    {
        var data = TestData.Text(200, length: 6, symbols: 7);
        using var trainer = TestData.Torch(
            Transformer with { AdapterRank = 4 }, data, new LocalTrainingOptions { Optimizer = new AdamOptions { LearningRate = 0.02 } });
        Assert.All(trainer.Model.Layout.Tensors, tensor => Assert.Contains("lora_", tensor.Name, StringComparison.Ordinal));
        Learns(trainer, data, steps: 200, atLeast: 0.9);
    }

    [Fact]
    public void AdaptersStartFromTheirBaseToTheBitAndLeaveItAsItIs()
    {
        var data = TestData.Text(30, length: 6, symbols: 7);
        using var whole = TestData.Torch(Transformer, data);
        var weights = TestData.Initial(whole.Model);
        var path = Path.GetTempFileName();
        try
        {
            using (var file = File.Create(path))
            {
                new SafetensorsWriter().Add<float>(whole.Model.Layout, weights).WriteTo(file);
            }

            using var adapted = TestData.Torch(Transformer with { AdapterRank = 2, Base = path }, data);
            var adapters = TestData.Initial(adapted.Model);
            var batch = new Batch<float>(data.Features, data.Labels, data.Count);
            Assert.Equal(whole.Model.Evaluate(weights, in batch).LossSum, adapted.Model.Evaluate(adapters, in batch).LossSum, 1e-4);

            TestData.Train(adapted, data, adapters, 5);
            using var state = new MemoryStream();
            ModuleFile.Save(((TorchModel)adapted.Model).Flat.Module, state);
            state.Position = 0;
            var after = new float[weights.Length];
            SafetensorsReader.Open(state).Read<float>(whole.Model.Layout, after, ignoreOthers: true);
            Assert.Equal(weights, after);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void FixedWeightsWithoutAFileAreTheSameForEverybody()
    {
        using var scope = NewDisposeScope();
        var options = Transformer with { AdapterRank = 2 };
        using var first = new CharacterTransformer(7, 6, options);
        using var second = new CharacterTransformer(7, 6, options);
        using var other = new CharacterTransformer(7, 6, options with { BaseSeed = 2 });
        Assert.Equal(Fixed(first), Fixed(second));
        Assert.NotEqual(Fixed(first), Fixed(other));

        static string Fixed(CharacterTransformer module)
        {
            var text = new StringBuilder();
            foreach (var (name, parameter) in module.named_parameters().Where(p => !p.parameter.requires_grad))
            {
                text.Append(name).AppendJoin(',', parameter.data<float>().ToArray());
            }

            return text.ToString();
        }
    }

    [Fact]
    public void AMissingBaseIsRefused()
    {
        var refusal = Assert.Throws<TrainingException>(() => new CharacterTransformer(7, 6, Transformer with { AdapterRank = 2, Base = "nowhere.safetensors" }));
        Assert.Contains("model.base", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ChannelsThatCannotBeGroupedAreRefused()
    {
        var refusal = Assert.Throws<TrainingException>(() => TorchModules.Create(new ResidualNetworkOptions { Channels = [12] }, [1, 8, 8], 4));
        Assert.Contains("multiples of groups", refusal.Message, StringComparison.Ordinal);
    }

    private static void Learns(TorchTrainer trainer, Federated.Training.Data.DataSet data, int steps, double atLeast)
    {
        var start = TestData.Initial(trainer.Model);
        var before = TestData.Accuracy(trainer, data, start, 0);
        var after = TestData.Accuracy(trainer, data, start, steps);
        Assert.True(after >= atLeast && before < atLeast, $"From {before:P1} right to {after:P1} in {steps} steps; {atLeast:P1} is expected.");
    }
}

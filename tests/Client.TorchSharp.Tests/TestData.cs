using Federated.Aggregation.Randomness;
using Federated.Client.TorchSharp.Losses;
using Federated.Client.TorchSharp.Modules;
using Federated.Training.Data;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Models;

namespace Federated.Client.TorchSharp.Tests;

/// <summary>Small data, and the two trainers made from the same options.</summary>
internal static class TestData
{
    public const int Classes = 4;

    public static MultilayerPerceptronOptions Perceptron { get; } = new() { Hidden = [12, 9] };

    public static ConvolutionalNetworkOptions Convolutional { get; } = new() { Channels = [4, 6], KernelSize = 3, Hidden = [10] };

    /// <summary>Grey images of 8×8 whose class decides which quarter is bright, with noise.</summary>
    public static DataSet Images(int count, ulong seed = 5)
    {
        var random = new SeededRandom(seed);
        var features = new float[count * 64];
        var labels = new int[count];
        for (var i = 0; i < count; i++)
        {
            labels[i] = random.NextInt(Classes);
            for (var pixel = 0; pixel < 64; pixel++)
            {
                var quarter = (pixel / 32 * 2) + (pixel % 8 / 4);
                features[(i * 64) + pixel] = (float)((quarter == labels[i] ? 1 : 0) + (0.5 * random.NextNormal()));
            }
        }

        return new DataSet("images", features, labels, [1, 8, 8], Classes);
    }

    /// <summary>Grey images of 8×8 in stripes across, stripes down, squares or nothing, with noise: what a network sees that averages over places.</summary>
    public static DataSet Textures(int count, ulong seed = 8)
    {
        var random = new SeededRandom(seed);
        var features = new float[count * 64];
        var labels = new int[count];
        for (var i = 0; i < count; i++)
        {
            labels[i] = random.NextInt(Classes);
            for (var pixel = 0; pixel < 64; pixel++)
            {
                var (row, column) = (pixel / 8, pixel % 8);
                var bright = labels[i] switch { 0 => row % 2, 1 => column % 2, 2 => (row + column) % 2, _ => 0 };
                features[(i * 64) + pixel] = (float)(bright + (0.3 * random.NextNormal()));
            }
        }

        return new DataSet("textures", features, labels, [1, 8, 8], Classes);
    }

    /// <summary>Windows of a text in which every symbol decides the next.</summary>
    public static DataSet Text(int count, int length, int symbols, ulong seed = 6)
    {
        var random = new SeededRandom(seed);
        var features = new float[count * length];
        var labels = new int[count];
        for (var i = 0; i < count; i++)
        {
            var symbol = random.NextInt(symbols);
            for (var position = 0; position < length; position++)
            {
                features[(i * length) + position] = symbol;
                symbol = ((symbol * 3) + 1) % symbols;
            }

            labels[i] = symbol;
        }

        return new DataSet("text", features, labels, [length], symbols);
    }

    public static int[] All(DataSet data) => [.. Enumerable.Range(0, data.Count)];

    public static TorchTrainer Torch(ModelOptions model, DataSet data, LocalTrainingOptions? local = null, TorchTrainerOptions? engine = null, TorchTrainingOptions? training = null)
    {
        var module = TorchModules.Create(model, data.ExampleShape, data.Classes);
        var made = new TorchModel(
            module.Create, new CrossEntropyLoss(), module.Reader, new TorchModelOptions { Engine = engine ?? new TorchTrainerOptions(), Initialize = module.Initialize });
        return new TorchTrainer(made, (training ?? new TorchTrainingOptions()) with { Local = local ?? training?.Local ?? new LocalTrainingOptions() });
    }

    public static LocalTrainer<float> Managed(ModelOptions model, DataSet data, LocalTrainingOptions? local = null) =>
        new(ModelFactory.Create<float>(model, data.ExampleShape, data.Classes), local ?? new LocalTrainingOptions());

    public static float[] Initial(IModel<float> model, ulong seed = 1)
    {
        var parameters = new float[model.Layout.Count];
        model.Initialize(parameters, new SeededRandom(seed));
        return parameters;
    }

    public static (float[] Delta, LocalResult Result) Train(
        ILocalTrainer<float> trainer, DataSet data, float[] start, int steps, ulong seed = 7, LocalExchange<float>? exchange = null)
    {
        var delta = new float[start.Length];
        var result = trainer.Train(
            new LocalTask<float> { Start = start, Data = data, Examples = All(data), Steps = steps, Seed = seed, Exchange = exchange }, delta);
        return (delta, result);
    }

    /// <summary>The share of the examples that is right after training on them.</summary>
    public static double Accuracy(ILocalTrainer<float> trainer, DataSet data, float[] start, int steps)
    {
        var (delta, _) = Train(trainer, data, start, steps);
        float[] trained = [.. start.Zip(delta, (w, d) => w + d)];
        return trainer.Model.Evaluate(trained, new Batch<float>(data.Features, data.Labels, data.Count)).Accuracy;
    }

    public static void Near(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance, $"Value {i}: {expected[i]:R} is expected within {tolerance}, there is {actual[i]:R}.");
        }
    }
}

using Federated.Aggregation.Randomness;
using Federated.Training.Data;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Models;

namespace Federated.Training.Tests;

/// <summary>A small perceptron on 40 random examples of 3 classes, in double.</summary>
internal sealed class ClassificationFixture
{
    public const int Features = 6;
    public const int Classes = 3;

    private readonly double[] start;

    public ClassificationFixture()
    {
        var random = new SeededRandom(11);
        var x = new float[40 * Features];
        var y = new int[40];
        for (var i = 0; i < y.Length; i++)
        {
            y[i] = random.NextInt(Classes);
            for (var f = 0; f < Features; f++)
            {
                x[(i * Features) + f] = (float)(random.NextNormal() + (f == y[i] ? 1.5 : 0));
            }
        }

        Data = new DataSet("fixture", x, y, [Features], Classes);
        start = new double[Parameters];
        CreateModel().Initialize(start, new SeededRandom(5));
    }

    public DataSet Data { get; }

    public int Parameters => CreateModel().Layout.Count;

    public ReadOnlyMemory<double> Start => start;

    public static MultilayerPerceptron<double> CreateModel() => new(Features, [5], Classes);

    public (double[] Delta, LocalResult Result) Train(LocalTrainingOptions options, int steps, LocalExchange<double>? exchange = null)
    {
        var trainer = new LocalTrainer<double>(CreateModel(), options);
        var delta = new double[start.Length];
        exchange ??= LocalExchange<double>.For(trainer.Objective.ClientTensors, trainer.Objective.ClientState, start.Length);
        var result = trainer.Train(
            new LocalTask<double> { Start = start, Data = Data, Examples = Enumerable.Range(0, 40).ToArray(), Steps = steps, Seed = 7, Exchange = exchange },
            delta);
        return (delta, result);
    }
}

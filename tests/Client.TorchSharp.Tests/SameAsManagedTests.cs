using Federated.Aggregation.Randomness;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Models;
using Federated.Training.Optimizers;

namespace Federated.Client.TorchSharp.Tests;

/// <summary>The managed trainer, which is checked against finite differences and golden values of its own, is the reference for libtorch's.</summary>
public sealed class SameAsManagedTests
{
    private const double Tolerance = 1e-5;

    public static TheoryData<string> Models => ["softmax", "mlp", "cnn"];

    public static TheoryData<string> Objectives => ["none", "fedprox", "scaffold", "scaffold-full", "feddyn", "fedspeed"];

    public static TheoryData<string> OptimizerNames => ["sgd", "decay", "momentum", "nesterov", "clipped", "adam", "adamw"];

    public sealed class OneBatch
    {
        [Theory]
        [MemberData(nameof(Models), MemberType = typeof(SameAsManagedTests))]
        public void HasTheSameLossAndGradient(string name)
        {
            var data = TestData.Images(10);
            var managed = TestData.Managed(ModelOf(name), data).Model;
            using var torch = TestData.Torch(ModelOf(name), data);
            Assert.Equal(managed.Layout, torch.Model.Layout);
            var parameters = TestData.Initial(managed);
            Assert.Equal(parameters, TestData.Initial(torch.Model));

            var expected = new float[parameters.Length];
            var actual = new float[parameters.Length];
            var batch = new Batch<float>(data.Features, data.Labels, data.Count);
            var loss = managed.Gradient(parameters, in batch, expected);
            Assert.Equal(loss, torch.Model.Gradient(parameters, in batch, actual), Tolerance);
            TestData.Near(expected, actual, Tolerance);
            Assert.Contains(expected, g => Math.Abs(g) > 100 * Tolerance);
        }

        [Theory]
        [MemberData(nameof(Models), MemberType = typeof(SameAsManagedTests))]
        public void IsScoredTheSame(string name)
        {
            var data = TestData.Images(50);
            var managed = TestData.Managed(ModelOf(name), data).Model;
            using var torch = TestData.Torch(ModelOf(name), data);
            var parameters = TestData.Initial(managed);
            var batch = new Batch<float>(data.Features, data.Labels, data.Count);
            var expected = managed.Evaluate(parameters, in batch);
            var actual = torch.Model.Evaluate(parameters, in batch);
            Assert.Equal((expected.Count, expected.Correct), (actual.Count, actual.Correct));
            Assert.Equal(expected.LossSum, actual.LossSum, 1e-4);
        }
    }

    public sealed class OneStep
    {
        [Theory]
        [MemberData(nameof(Models), MemberType = typeof(SameAsManagedTests))]
        public void OfSgdMovesTheSameWay(string name) => Compare(ModelOf(name), new LocalTrainingOptions(), steps: 1, Tolerance);
    }

    public sealed class ManySteps
    {
        [Theory]
        [MemberData(nameof(OptimizerNames), MemberType = typeof(SameAsManagedTests))]
        public void WithEveryOptimizerEndAtTheSamePlace(string name) =>
            Compare(TestData.Perceptron, new LocalTrainingOptions { Optimizer = OptimizerOf(name) }, steps: 20, 5 * Tolerance);

        [Theory]
        [MemberData(nameof(Objectives), MemberType = typeof(SameAsManagedTests))]
        public void WithEveryObjectiveEndAtTheSamePlaceAndRememberTheSame(string name) =>
            Compare(TestData.Convolutional, new LocalTrainingOptions { Objective = ObjectiveOf(name), Optimizer = new SgdOptions { LearningRate = 0.05 } }, steps: 12, 5 * Tolerance);

        [Fact]
        public void OnAllExamplesAtOnceEndAtTheSamePlace() =>
            Compare(TestData.Perceptron, new LocalTrainingOptions { BatchSize = 0 }, steps: 8, 2 * Tolerance);
    }

    private static void Compare(ModelOptions model, LocalTrainingOptions local, int steps, double tolerance)
    {
        var data = TestData.Images(37);
        var managed = TestData.Managed(model, data, local);
        using var torch = TestData.Torch(model, data, local);
        var start = TestData.Initial(managed.Model);
        var (expectedExchange, actualExchange) = (Exchange(managed.Objective, start.Length), Exchange(torch.Objective, start.Length));

        var (expected, expectedResult) = TestData.Train(managed, data, start, steps, exchange: expectedExchange);
        var (actual, actualResult) = TestData.Train(torch, data, start, steps, exchange: actualExchange);

        Assert.Equal(expectedResult.Steps, actualResult.Steps);
        Assert.Equal(expectedResult.MeanLoss, actualResult.MeanLoss, tolerance);
        Assert.Equal(expectedResult.StepWeight, actualResult.StepWeight, 1e-12);
        TestData.Near(expected, actual, tolerance);
        Assert.Contains(expected, d => Math.Abs(d) > 10 * tolerance);

        // What goes up and what is remembered is a mean gradient or a displacement: the rate's inverse magnifies rounding.
        foreach (var (name, vector) in expectedExchange.PendingState.Concat(expectedExchange.ToServer))
        {
            var other = actualExchange.PendingState.TryGetValue(name, out var state) ? state : actualExchange.ToServer[name];
            TestData.Near(vector.Span, other.Span, 20 * tolerance);
        }
    }

    private static LocalExchange<float> Exchange(ILocalObjective<float> objective, int d)
    {
        ReadOnlyMemory<float> Vector(string name)
        {
            var random = SeededRandom.Derive(3, name);
            var vector = new float[d];
            foreach (ref var value in vector.AsSpan())
            {
                value = (float)(0.01 * random.NextNormal());
            }

            return vector;
        }

        return LocalExchange<float>.For(
            objective.ClientTensors, objective.ClientState, d, objective.ServerTensors.ToDictionary(n => n, Vector), objective.ClientState.ToDictionary(n => n, Vector));
    }

    private static ModelOptions ModelOf(string name) => name switch
    {
        "softmax" => new SoftmaxRegressionOptions(),
        "mlp" => TestData.Perceptron,
        _ => TestData.Convolutional,
    };

    private static LocalObjectiveOptions ObjectiveOf(string name) => name switch
    {
        "fedprox" => new FedProxOptions { Mu = 0.5 },
        "scaffold" => new ScaffoldOptions(),
        "scaffold-full" => new ScaffoldOptions { Control = ScaffoldControl.FullGradient },
        "feddyn" => new FedDynOptions { Alpha = 0.3 },
        "fedspeed" => new FedSpeedOptions { Lambda = 0.2, Rho = 0.05, Mix = 0.7 },
        _ => new PlainObjectiveOptions(),
    };

    private static LocalOptimizerOptions OptimizerOf(string name) => name switch
    {
        "decay" => new SgdOptions { WeightDecay = 0.05 },
        "momentum" => new SgdOptions { LearningRate = 0.02, Momentum = 0.9 },
        "nesterov" => new SgdOptions { LearningRate = 0.02, Momentum = 0.9, Nesterov = true, WeightDecay = 0.01 },
        "clipped" => new SgdOptions { ClipNorm = 0.1 },
        "adam" => new AdamOptions { DecoupledWeightDecay = false, WeightDecay = 0.01 },
        "adamw" => new AdamOptions { WeightDecay = 0.01 },
        _ => new SgdOptions(),
    };
}

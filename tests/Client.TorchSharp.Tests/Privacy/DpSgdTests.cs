using Federated.Client.TorchSharp.Data;
using Federated.Client.TorchSharp.Losses;
using Federated.Client.TorchSharp.Privacy;
using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Privacy.Randomness;
using Federated.Training;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Models;
using Federated.Training.Optimizers;

namespace Federated.Client.TorchSharp.Tests.Privacy;

public sealed class DpSgdTests
{
    private const int Batch = 8;

    [Fact]
    public void EveryExamplesGradientIsClippedBeforeTheSum()
    {
        // With hardly any noise and every example in, a step of rate 1 is minus the sum of the clipped gradients over B.
        var data = TestData.Images(Batch);
        const double clip = 0.05;
        using var random = new SimulationRandom(1);
        using var trainer = Private(data, new DpSgdOptions { ClipNorm = clip, NoiseMultiplier = 1e-6, SamplingRate = 1, Random = random }, rate: 1);
        var start = TestData.Initial(trainer.Model);
        var managed = TestData.Managed(TestData.Perceptron, data).Model;
        var expected = new double[start.Length];
        var gradient = new float[start.Length];
        for (var i = 0; i < data.Count; i++)
        {
            managed.Gradient(start, new Batch<float>(data.Row(i), data.Labels.AsSpan(i, 1), 1), gradient);
            var norm = Math.Sqrt(gradient.Sum(g => (double)g * g));
            Assert.True(norm > clip);
            for (var j = 0; j < expected.Length; j++)
            {
                expected[j] -= gradient[j] * clip / norm / Batch;
            }
        }

        var (delta, result) = TestData.Train(trainer, data, start, 1);
        TestData.Near([.. expected.Select(e => (float)e)], delta, 1e-6);
        Assert.True(double.IsNaN(result.MeanLoss), "The loss would tell what the noise hides.");
    }

    [Fact]
    public void TheNoiseHasTheStatedVariance()
    {
        // Clip and rate so small that gradients vanish beside the noise: each coordinate is N(0, (z·C/B)²).
        var data = TestData.Images(Batch);
        using var random = new SimulationRandom(2);
        using var trainer = Private(data, new DpSgdOptions { ClipNorm = 1e-3, NoiseMultiplier = 40, SamplingRate = 0.5, Random = random }, rate: 1);
        var (delta, _) = TestData.Train(trainer, data, TestData.Initial(trainer.Model), 1);
        var deviation = 40 * 1e-3 / Batch;
        var ratio = delta.Sum(d => (double)d * d) / (delta.Length * deviation * deviation);

        // χ² of 900-odd degrees: six standard deviations, a false alarm in 10⁹ for an unlucky seed; the seed is fixed.
        Assert.InRange(ratio, 1 - (6 * Math.Sqrt(2.0 / delta.Length)), 1 + (6 * Math.Sqrt(2.0 / delta.Length)));
    }

    [Fact]
    public void TheGuaranteeIsThatOfTheSubsampledGaussianMechanism()
    {
        var options = new DpSgdOptions { ClipNorm = 3, NoiseMultiplier = 1, SamplingRate = 0.01 };
        var guarantee = options.Guarantee(1000, 1e-5);
        var relation = new NeighbourRelation(PrivacyUnit.Example, Adjacency.AddRemove);
        var expected = new PldAccountant().Epsilon(new RepeatedEvent(new PoissonSampledEvent(0.01, new GaussianEvent(relation, 1)), 1000), 1e-5);
        Assert.Equal(expected, guarantee.Epsilon, 1e-9);
        Assert.Equal((relation, TrustModel.Local), (guarantee.Relation, guarantee.Trust));
    }

    [Fact]
    public void SeededNoiseGivesNoGuarantee()
    {
        using var random = new SimulationRandom(1);
        var refusal = Assert.Throws<PrivacyException>(() => new DpSgdOptions { Random = random }.Guarantee(10, 1e-5));
        Assert.Contains("no guarantee", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TrainingStillLearns()
    {
        var data = TestData.Images(200);
        using var random = new SimulationRandom(3);
        using var trainer = Private(data, new DpSgdOptions { ClipNorm = 1, NoiseMultiplier = 0.5, SamplingRate = (double)Batch / 200, Random = random }, rate: 0.2);
        var start = TestData.Initial(trainer.Model);
        var accuracy = TestData.Accuracy(trainer, data, start, 120);
        Assert.True(accuracy > 0.8, $"{accuracy:P1} of the examples are learnt under noise; of four classes a quarter would be chance.");
    }

    [Fact]
    public void CancellationComesBetweenTwoExamples()
    {
        const int examples = 200;
        var data = TestData.Images(examples);
        using var stop = new CancellationTokenSource();
        using var random = new StoppingRandom(stop, afterCoins: 3);
        using var trainer = Private(data, new DpSgdOptions { SamplingRate = 0.5, Random = random }, rate: 0.1);
        var start = TestData.Initial(trainer.Model);
        Assert.Throws<OperationCanceledException>(() => trainer.Train(
            new LocalTask<float> { Start = start, Data = data, Examples = TestData.All(data), Steps = 1, Seed = 1, Cancellation = stop.Token }, new float[start.Length]));
        Assert.Equal(3, random.Coins); // Of the step's two hundred.
    }

    [Fact]
    public void BatchNormalisationIsRefused() => Refused("group normalisation", () => new TorchTrainer(
        new TorchModel(() => nn.Sequential(("flatten", nn.Flatten()), ("norm", nn.BatchNorm1d(64)), ("fc", nn.Linear(64, 4))), new CrossEntropyLoss(), new DataSetReader([1, 8, 8])),
        new TorchTrainingOptions { Privacy = new DpSgdOptions() }));

    [Fact]
    public void ObjectivesThatLookAgainAreRefused() => Refused("without noise", () => TestData.Torch(
        TestData.Perceptron, TestData.Images(4), new LocalTrainingOptions { Objective = new ScaffoldOptions { Control = ScaffoldControl.FullGradient } },
        training: new TorchTrainingOptions { Privacy = new DpSgdOptions() }));

    [Fact]
    public void ABatchSizeThatFollowsTheDataIsRefused() => Refused("batchSize above 0", () => TestData.Torch(
        TestData.Perceptron, TestData.Images(4), new LocalTrainingOptions { BatchSize = 0 }, training: new TorchTrainingOptions { Privacy = new DpSgdOptions() }));

    private static TorchTrainer Private(Federated.Training.Data.DataSet data, DpSgdOptions privacy, double rate) => TestData.Torch(
        TestData.Perceptron, data, new LocalTrainingOptions { BatchSize = Batch, Optimizer = new SgdOptions { LearningRate = rate } },
        training: new TorchTrainingOptions { Privacy = privacy });

    private static void Refused(string advice, Func<object> make) =>
        Assert.Contains(advice, Assert.Throws<TrainingException>(make).Message, StringComparison.Ordinal);

    /// <summary>Coins, one for each example, that cancel the training after some.</summary>
    private sealed class StoppingRandom(CancellationTokenSource stop, int afterCoins) : IRandomSource, IDisposable
    {
        private readonly SimulationRandom random = new(4);

        public int Coins { get; private set; }

        public bool IsCryptographic => false;

        public string Description => random.Description;

        public void Fill(Span<byte> destination) => random.Fill(destination);

        public ulong NextUInt64()
        {
            if (++Coins == afterCoins)
            {
                stop.Cancel();
            }

            return random.NextUInt64();
        }

        public void Dispose() => random.Dispose();
    }
}

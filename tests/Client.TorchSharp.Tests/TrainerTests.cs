using Federated.Client.TorchSharp.Data;
using Federated.Client.TorchSharp.Losses;
using Federated.Client.TorchSharp.Optimizers;
using Federated.Training;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Models;
using Federated.Training.Optimizers;

namespace Federated.Client.TorchSharp.Tests;

public sealed class TrainerTests
{
    public sealed class AnOptimizerOfOnesOwn
    {
        [Fact]
        public void TrainsTensorByTensorAsTheBuiltInOneTrainsTheWhole()
        {
            var data = TestData.Images(40);
            using var whole = TestData.Torch(TestData.Perceptron, data, new LocalTrainingOptions { Optimizer = new SgdOptions { LearningRate = 0.05, Momentum = 0.5 } });
            using var pieces = TestData.Torch(TestData.Perceptron, data, training: new TorchTrainingOptions
            {
                Optimizer = new TorchOptimizer((module, rate) => optim.SGD(module.Masters, rate, momentum: 0.5), 0.05, Momentum: 0.5),
            });
            var start = TestData.Initial(whole.Model);
            var (expected, expectedResult) = TestData.Train(whole, data, start, 10);
            var (actual, actualResult) = TestData.Train(pieces, data, start, 10);
            Assert.Equal(expectedResult, actualResult);
            TestData.Near(expected, actual, 1e-6);
        }

        [Fact]
        public void WorksOnMastersInHalfPrecision()
        {
            var data = TestData.Images(40);
            using var trainer = TestData.Torch(
                TestData.Perceptron, data, engine: new TorchTrainerOptions { Precision = TorchPrecision.Bfloat16 },
                training: new TorchTrainingOptions { Optimizer = new TorchOptimizer((module, rate) => optim.RMSProp(module.Masters, rate), 0.001) });
            var start = TestData.Initial(trainer.Model);
            var (delta, result) = TestData.Train(trainer, data, start, 30);
            Assert.True(result.IsFinite);
            Assert.Contains(delta, d => Math.Abs(d) > 1e-3);
        }
    }

    public sealed class HalfPrecision
    {
        [Fact]
        public void LearnsAsWellAsSinglePrecision()
        {
            var data = TestData.Images(300);
            var local = new LocalTrainingOptions { Optimizer = new SgdOptions { LearningRate = 0.05 } };
            using var single = TestData.Torch(TestData.Convolutional, data, local);
            using var half = TestData.Torch(TestData.Convolutional, data, local, new TorchTrainerOptions { Precision = TorchPrecision.Bfloat16 });
            var start = TestData.Initial(single.Model);
            var (expected, actual) = (TestData.Accuracy(single, data, start, 200), TestData.Accuracy(half, data, start, 200));
            Assert.True(expected > 0.95, $"In float32 {expected:P1} of the examples are learnt.");
            Assert.True(actual > expected - 0.02, $"In bfloat16 {actual:P1} of the examples are learnt, in float32 {expected:P1}.");
        }

        [Fact]
        public void InFloat16IsRefusedOnTheCpu()
        {
            var data = TestData.Images(4);
            var refusal = Assert.Throws<TrainingException>(() => TestData.Torch(TestData.Perceptron, data, engine: new TorchTrainerOptions { Precision = TorchPrecision.Float16 }));
            Assert.Contains("bfloat16", refusal.Message, StringComparison.Ordinal);
        }
    }

    public sealed class TheLossScale
    {
        [Fact]
        public void IsHalvedUntilGradientsFitAndDoubledWhenTheyDoForLong()
        {
            var scale = new LossScale(isNeeded: true);
            Assert.Equal(65536, scale.Value);
            Assert.False(scale.Accepts(isFinite: false));
            Assert.False(scale.Accepts(isFinite: false));
            Assert.Equal(16384, scale.Value);
            for (var step = 0; step < 2000; step++)
            {
                Assert.True(scale.Accepts(isFinite: true));
            }

            Assert.Equal(32768, scale.Value);
        }

        [Fact]
        public void GivesUpAtOneSoThatDivergenceIsSeen()
        {
            var scale = new LossScale(isNeeded: true);
            while (!scale.Accepts(isFinite: false))
            {
            }

            Assert.Equal(1, scale.Value);
        }
    }

    public sealed class Divergence
    {
        [Fact]
        public void EndsTheTaskAndIsTold()
        {
            var data = TestData.Images(40);
            using var trainer = TestData.Torch(TestData.Perceptron, data, new LocalTrainingOptions { Optimizer = new SgdOptions { LearningRate = 1e30 } });
            var (_, result) = TestData.Train(trainer, data, TestData.Initial(trainer.Model), 50);
            Assert.False(result.IsFinite);
            Assert.True(result.Steps < 50);
        }
    }

    public sealed class Cancellation
    {
        [Fact]
        public void ComesBetweenTwoStepsAndTheNextTaskIsUnharmed()
        {
            var data = TestData.Images(40);
            using var trainer = TestData.Torch(TestData.Perceptron, data);
            var start = TestData.Initial(trainer.Model);
            var expected = TestData.Train(trainer, data, start, 5).Delta;
            using var stop = new CancellationTokenSource();
            var seen = 0;
            var delta = new float[start.Length];
            Assert.Throws<OperationCanceledException>(() => trainer.Train(
                new LocalTask<float> { Start = start, Data = data, Examples = TestData.All(data), Steps = 100, Seed = 1, Cancellation = stop.Token },
                delta,
                (steps, _) =>
                {
                    seen = steps;
                    if (steps == 3)
                    {
                        stop.Cancel();
                    }
                }));
            Assert.Equal(3, seen);
            Assert.Equal(expected, TestData.Train(trainer, data, start, 5).Delta);
        }
    }

    public sealed class Combinations
    {
        [Fact]
        public void OfScaffoldAndMomentumAreRefused() => Refused("SGD with momentum 0", () => TestData.Torch(
            TestData.Perceptron, TestData.Images(4), new LocalTrainingOptions { Objective = new ScaffoldOptions(), Optimizer = new SgdOptions { Momentum = 0.9 } }));

        [Fact]
        public void OfStatefulObjectivesAndTravellingBuffersAreRefused() => Refused("buffers: reset", () => new TorchTrainer(
            new TorchModel(() => nn.Sequential(("flatten", nn.Flatten()), ("norm", nn.BatchNorm1d(64)), ("fc", nn.Linear(64, 4))), new CrossEntropyLoss(), new DataSetReader([1, 8, 8])),
            new TorchTrainingOptions { Local = new LocalTrainingOptions { Objective = new FedDynOptions() } }));

        [Fact]
        public void OfAMissingGpuAndCudaAreRefused()
        {
            if (!cuda.is_available())
            {
                Refused("device: cpu", () => TestData.Torch(TestData.Perceptron, TestData.Images(4), engine: new TorchTrainerOptions { Device = "cuda" }));
            }
        }

        private static void Refused(string advice, Func<object> make) =>
            Assert.Contains(advice, Assert.Throws<TrainingException>(make).Message, StringComparison.Ordinal);
    }

    public sealed class Regression
    {
        [Fact]
        public void WithSquaredErrorFindsTheLine()
        {
            var data = new Federated.Training.Data.DataSet("line", [0, 1, 2, 3], [1, 3, 5, 7], [1], 8);
            using var trainer = new TorchTrainer(
                new TorchModel(() => nn.Sequential(("fc", nn.Linear(1, 1))), new SquaredErrorLoss(), new Labels()),
                new TorchTrainingOptions { Local = new LocalTrainingOptions { BatchSize = 0 } });
            var start = new float[2];
            var (delta, _) = TestData.Train(trainer, data, start, 500);
            TestData.Near([2, 1], delta, 1e-3);
        }

        private sealed class Labels : ITorchBatchReader
        {
            private readonly DataSetReader inner = new([1]);

            public TorchBatch Read(in Batch<float> batch, Device device)
            {
                var (input, target) = inner.Read(in batch, device);
                return new TorchBatch(input, target.to(float32));
            }
        }
    }
}

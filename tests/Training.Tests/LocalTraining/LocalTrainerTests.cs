using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Training.LocalTraining;
using Federated.Training.Models;
using Federated.Training.Optimizers;

namespace Federated.Training.Tests.LocalTraining;

public sealed class LocalTrainerTests
{
    public sealed class Batches
    {
        [Fact]
        public void Every_epoch_visits_every_example_once_in_a_new_order_and_keeps_the_last_short_batch()
        {
            var model = new RecordingModel();
            Train(model, examples: [.. Enumerable.Range(3, 10)], batchSize: 4, steps: 6, seed: 1);
            Assert.Equal([4, 4, 2, 4, 4, 2], model.Batches.Select(b => b.Length));
            var first = model.Batches.Take(3).SelectMany(b => b).ToArray();
            var second = model.Batches.Skip(3).SelectMany(b => b).ToArray();
            Assert.Equal(Enumerable.Range(3, 10), first.Order());
            Assert.Equal(Enumerable.Range(3, 10), second.Order());
            Assert.NotEqual(first, second);
        }

        [Fact]
        public void Another_seed_gives_another_order_and_the_same_seed_the_same()
        {
            int[][] Run(ulong seed)
            {
                var model = new RecordingModel();
                Train(model, [.. Enumerable.Range(0, 12)], 5, 3, seed);
                return [.. model.Batches];
            }

            Assert.Equal(Run(1), Run(1));
            Assert.NotEqual(Run(1), Run(2));
        }

        [Theory]
        [InlineData(0)]
        [InlineData(5)]
        [InlineData(9)]
        public void Batch_size_zero_or_above_the_number_of_examples_is_the_full_batch(int batchSize)
        {
            var model = new RecordingModel();
            Train(model, [2, 4, 6, 8, 10], batchSize, steps: 3, seed: 1);
            Assert.Equal(3, model.Batches.Count);
            Assert.All(model.Batches, b => Assert.Equal([2, 4, 6, 8, 10], b.Order()));
        }

        [Fact]
        public void No_examples_is_an_error_that_says_so()
        {
            var error = Assert.Throws<TrainingException>(() => Train(new RecordingModel(), [], 4, 1, 1));
            Assert.Contains("no examples", error.Message, StringComparison.Ordinal);
        }

        private static void Train(RecordingModel model, int[] examples, int batchSize, int steps, ulong seed) =>
            new LocalTrainer<double>(model, new LocalTrainingOptions { BatchSize = batchSize }).Train(
                new LocalTask<double> { Start = [0.0], Data = RecordingModel.Data, Examples = examples, Steps = steps, Seed = seed }, new double[1]);
    }

    public sealed class Training
    {
        [Fact]
        public void One_full_batch_step_of_every_client_averages_to_one_step_on_the_pooled_loss()
        {
            var fixture = new ClassificationFixture();
            var options = new LocalTrainingOptions { BatchSize = 0 };
            var trainer = new LocalTrainer<double>(ClassificationFixture.CreateModel(), options);
            var pooled = fixture.Train(options, steps: 1).Delta;
            var sum = new double[pooled.Length];
            foreach (var (from, count) in new[] { (0, 7), (7, 20), (27, 13) })
            {
                var delta = new double[pooled.Length];
                trainer.Train(
                    new LocalTask<double> { Start = fixture.Start.Span, Data = fixture.Data, Examples = [.. Enumerable.Range(from, count)], Steps = 1, Seed = 1 },
                    delta);
                for (var i = 0; i < sum.Length; i++)
                {
                    sum[i] += delta[i] * count / 40;
                }
            }

            for (var i = 0; i < sum.Length; i++)
            {
                Assert.Equal(pooled[i], sum[i], 1e-14);
            }
        }

        [Theory]
        [InlineData(false)]
        [InlineData(true)]
        public void What_a_worker_did_before_does_not_change_a_bit(bool momentum)
        {
            var fixture = new ClassificationFixture();
            var options = new LocalTrainingOptions { BatchSize = 6, Optimizer = new SgdOptions { Momentum = momentum ? 0.9 : 0 } };
            var fresh = fixture.Train(options, steps: 9);
            var trainer = new LocalTrainer<double>(ClassificationFixture.CreateModel(), options);
            var delta = new double[fixture.Parameters];
            trainer.Train(
                new LocalTask<double> { Start = new double[delta.Length], Data = fixture.Data, Examples = [1, 2, 3], Steps = 4, Seed = 99 }, delta);
            var result = trainer.Train(
                new LocalTask<double> { Start = fixture.Start.Span, Data = fixture.Data, Examples = [.. Enumerable.Range(0, 40)], Steps = 9, Seed = 7 }, delta);
            Assert.Equal(fresh.Delta, delta);
            Assert.Equal(fresh.Result, result);
        }

        [Fact]
        public void Lowers_the_loss_and_reports_its_mean()
        {
            var fixture = new ClassificationFixture();
            var early = fixture.Train(new LocalTrainingOptions { BatchSize = 0 }, steps: 1).Result;
            var late = fixture.Train(new LocalTrainingOptions { BatchSize = 0 }, steps: 200).Result;
            Assert.Equal(1, early.Steps);
            Assert.Equal(200, late.Steps);
            Assert.InRange(late.MeanLoss, 0.01, 0.8 * early.MeanLoss);
        }

        [Fact]
        public void Zero_steps_change_nothing()
        {
            var (delta, result) = new ClassificationFixture().Train(new LocalTrainingOptions(), steps: 0);
            Assert.All(delta, v => Assert.Equal(0, v));
            Assert.Equal((0, true), (result.Steps, result.IsFinite));
        }

        [Fact]
        public void Divergence_stops_the_work_and_is_flagged()
        {
            var (_, result) = new ClassificationFixture().Train(
                new LocalTrainingOptions { Optimizer = new SgdOptions { LearningRate = 1e200 } }, steps: 1000);
            Assert.False(result.IsFinite);
            Assert.InRange(result.Steps, 1, 20);
        }

        [Fact]
        public void Clipping_bounds_the_length_of_a_step_and_leaves_short_gradients_alone()
        {
            var fixture = new ClassificationFixture();
            var free = fixture.Train(new LocalTrainingOptions { BatchSize = 0 }, 1).Delta;
            var length = Math.Sqrt(free.Sum(v => v * v)) / 0.1;
            foreach (var share in new[] { 0.3, 1.5 })
            {
                var options = new LocalTrainingOptions { BatchSize = 0, Optimizer = new SgdOptions { ClipNorm = share * length } };
                var clipped = fixture.Train(options, 1).Delta;
                for (var i = 0; i < free.Length; i++)
                {
                    Assert.Equal(free[i] * Math.Min(1, share), clipped[i], 1e-14);
                }
            }
        }

        [Fact]
        public void The_schedule_s_factor_scales_the_rate()
        {
            var model = new QuadraticModel();
            var delta = new double[1];
            new LocalTrainer<double>(model, new LocalTrainingOptions { BatchSize = 0 }).Train(
                new LocalTask<double> { Start = [1.0], Data = QuadraticModel.Data((1, 4)), Examples = [0], Steps = 1, Seed = 1, RateFactor = 0.5 }, delta);
            Assert.Equal(0.5 * 0.1 * 3, delta[0], 1e-15);
        }
    }

    /// <summary>‖a‖₁ of FedNova; the values are those of the algorithm notes (H1).</summary>
    public sealed class StepWeight
    {
        [Theory]
        [InlineData(0, false, 7, 7)]
        [InlineData(0.9, false, 1, 1)]
        [InlineData(0.9, false, 2, 2.9)]
        [InlineData(0.9, false, 5, 13.1441)]
        [InlineData(0.9, true, 1, 1.9)]
        public void Of_SGD_with_momentum(double momentum, bool nesterov, int steps, double expected)
        {
            var optimizer = new SgdOptions { Momentum = momentum, Nesterov = nesterov, LearningRate = 0.01 };
            Assert.Equal(expected, Run(new LocalTrainingOptions { BatchSize = 0, Optimizer = optimizer }, steps).StepWeight, 1e-12);
        }

        [Fact]
        public void Of_a_proximal_objective()
        {
            var options = new LocalTrainingOptions
            {
                BatchSize = 0,
                Objective = new Federated.Training.LocalObjectives.FedProxOptions { Mu = 1 },
            };
            Assert.Equal(4.0951, Run(options, 5).StepWeight, 1e-12);
        }

        [Theory]
        [InlineData(0.9, false)]
        [InlineData(0.9, true)]
        public void Is_the_displacement_that_a_constant_unit_gradient_causes(double momentum, bool nesterov)
        {
            // The gradient of a line is constant: displacement = −η·‖a‖₁·gradient, by the definition of a.
            var optimizer = LocalOptimizers.Create<double>(new SgdOptions { Momentum = momentum, Nesterov = nesterov, LearningRate = 0.01 }, 1);
            double[] w = [0.0];
            for (var step = 0; step < 6; step++)
            {
                optimizer.Step(w, [1.0], 0.01);
            }

            var options = new LocalTrainingOptions { BatchSize = 0, Optimizer = new SgdOptions { Momentum = momentum, Nesterov = nesterov } };
            Assert.Equal(-w[0] / 0.01, Run(options, 6).StepWeight, 1e-12);
        }

        private static LocalResult Run(LocalTrainingOptions options, int steps) => new LocalTrainer<double>(new QuadraticModel(), options).Train(
            new LocalTask<double> { Start = [1.0], Data = QuadraticModel.Data((1, 4)), Examples = [0], Steps = steps, Seed = 1 }, new double[1]);
    }

    public sealed class Allocation
    {
        [Theory]
        [InlineData(0.0)]
        [InlineData(0.9)]
        public void Does_not_grow_with_the_number_of_steps(double momentum)
        {
            var fixture = new ClassificationFixture();
            var trainer = new LocalTrainer<double>(
                ClassificationFixture.CreateModel(), new LocalTrainingOptions { BatchSize = 6, Optimizer = new SgdOptions { Momentum = momentum } });
            var delta = new double[fixture.Parameters];
            int[] examples = [.. Enumerable.Range(0, 40)];

            long Measure(int steps)
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                trainer.Train(
                    new LocalTask<double> { Start = fixture.Start.Span, Data = fixture.Data, Examples = examples, Steps = steps, Seed = 7 }, delta);
                return GC.GetAllocatedBytesForCurrentThread() - before;
            }

            Measure(50);
            var few = Measure(10);
            Assert.Equal(few, Measure(400));
            Assert.InRange(few, 0, 512);
        }
    }

    /// <summary>One parameter, no gradient; remembers which examples each batch held. Example i has the feature i.</summary>
    private sealed class RecordingModel : IModel<double>
    {
        public static Federated.Training.Data.DataSet Data { get; } =
            new("numbers", [.. Enumerable.Range(0, 20).Select(i => (float)i)], new int[20], [1], 1);

        public ParameterLayout Layout { get; } = ParameterLayout.Of(("w", [1]));

        public List<int[]> Batches { get; } = [];

        public void Initialize(Span<double> parameters, SeededRandom random) => parameters.Clear();

        public double Gradient(ReadOnlySpan<double> parameters, in Batch<double> batch, Span<double> gradient)
        {
            Batches.Add([.. batch.Features[..batch.Count].ToArray().Select(f => (int)f)]);
            gradient.Clear();
            return 0;
        }

        public Evaluation Evaluate(ReadOnlySpan<double> parameters, in Batch<double> batch) => new(batch.Count, 0, 0);
    }
}

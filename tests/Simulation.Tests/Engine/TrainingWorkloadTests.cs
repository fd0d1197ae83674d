using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using Federated.Aggregation.Randomness;
using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Simulation.Results;
using Federated.Training.Data;
using Federated.Training.LocalTraining;
using Federated.Training.Models;
using Federated.Training.Optimizers;
using ClientSgd = Federated.Training.Optimizers.SgdOptions;

namespace Federated.Simulation.Tests.Engine;

public static class TrainingWorkloadTests
{
    private static readonly FederatedData Data = TestData.Clouds(40, 7);

    public static TheoryData<SchedulerOptions> Strategies => new(
        new SynchronousOptions { Cohort = 8, OverSelection = 0.5 },
        new BufferedOptions { Concurrency = 12, AggregationGoal = 3 },
        new BufferedOptions { Concurrency = 40, AggregationGoal = 1 });

    private static readonly ClientsOptions Restless = new()
    {
        Responsiveness = new LogNormalResponsiveness { Per = DrawScope.Task, Median = 1 },
        Connectivity = new LogNormalConnectivity { Dropout = 0.1 },
        Completeness = new UniformCompleteness { Minimum = 0.2 },
    };

    public sealed class TheModel
    {
        [Theory]
        [MemberData(nameof(Strategies), MemberType = typeof(TrainingWorkloadTests))]
        public void Is_the_same_to_the_bit_on_any_number_of_threads(SchedulerOptions scheduler)
        {
            var (model, rows, evaluations) = Run(scheduler, seed: 3, threads: 1);
            foreach (var threads in (int[])[1, 2, 3, 4])
            {
                var other = Run(scheduler, seed: 3, threads);
                Assert.Equal(model, other.Model);
                Assert.Equal(rows, other.Rows);
                Assert.Equal(evaluations, other.Evaluations);
            }
        }

        [Theory]
        [MemberData(nameof(Strategies), MemberType = typeof(TrainingWorkloadTests))]
        public void Is_the_same_when_clients_remember_what_their_encoders_left_out(SchedulerOptions scheduler)
        {
            // Over-selected clients are cancelled while they train and invited again at once: the same encoder, twice in a row.
            var lossy = new CompressionOptions { Codec = new TopKOptions { Ratio = 0.2 }, Feedback = new ErrorFeedbackOptions() };
            var model = Run(scheduler, seed: 3, threads: 1, lossy).Model;
            Assert.NotEqual(model, Run(scheduler, seed: 3, threads: 1).Model);
            for (var repetition = 0; repetition < 3; repetition++)
            {
                Assert.Equal(model, Run(scheduler, seed: 3, threads: 4, lossy).Model);
            }
        }

        [Fact]
        public void Differs_for_another_seed()
        {
            var scheduler = new SynchronousOptions { Cohort = 8 };
            Assert.NotEqual(Run(scheduler, seed: 3, threads: 1).Model, Run(scheduler, seed: 4, threads: 1).Model);
        }

        [Fact]
        public void Learns()
        {
            var evaluations = Run(new SynchronousOptions { Cohort = 8 }, seed: 3, threads: 2).Evaluations;
            Assert.InRange(evaluations[0].Accuracy, 0, 0.6);
            Assert.InRange(evaluations[^1].Accuracy, 0.8, 1);
        }
    }

    public sealed class Divergence
    {
        [Fact]
        public void Ends_the_run_and_says_so()
        {
            var (outcome, record, _) = Simulate(new SynchronousOptions { Cohort = 8 }, 3, 2, new ClientSgd { LearningRate = 3e38 });
            Assert.Equal(FinishReason.Diverged, outcome.Reason);
            Assert.Contains(record.Updates, u => u is { Outcome: UpdateOutcome.Rejected, Reason: "not-finite" });
        }
    }

    public sealed class ADivergedModelThatStaysFinite
    {
        [Fact]
        public void Ends_the_run_too()
        {
            // Softmax regression never overflows at such rates: its gradients are bounded, only the loss tells.
            var (outcome, record, _) = Simulate(new SynchronousOptions { Cohort = 8 }, 3, 2, new ClientSgd { LearningRate = 1e5 });
            Assert.Equal(FinishReason.Diverged, outcome.Reason);
            Assert.Contains("divergenceFactor", outcome.Detail, StringComparison.Ordinal);
            Assert.DoesNotContain(record.Updates, u => u.Outcome == UpdateOutcome.Rejected);
        }
    }

    public sealed class Cancellation
    {
        [Theory]
        [InlineData(1)]
        [InlineData(2)]
        public void Ends_the_run_with_what_there_is(int threads)
        {
            using var stop = new CancellationTokenSource();
            var atThree = new StopAt(3, stop);
            var (outcome, _, model) = Simulate(
                new SynchronousOptions { Cohort = 8 }, 3, threads, new ClientSgd(), 100_000, stop: stop.Token, also: atThree);
            Assert.Equal(FinishReason.Operator, outcome.Reason);
            Assert.InRange(outcome.Versions, 3, 100);
            Assert.All(model, parameter => Assert.True(float.IsFinite(parameter)));
        }
    }

    private sealed class StopAt(int version, CancellationTokenSource stop) : ISimulationObserver
    {
        public void OnVersion(in VersionPublished published)
        {
            if (published.Version == version)
            {
                stop.Cancel();
            }
        }
    }

    public sealed class AWorkerThatFails
    {
        [Theory]
        [InlineData(1)]
        [InlineData(3)]
        public void Fails_the_run_where_its_update_is_awaited(int threads)
        {
            // Client 5's examples point beyond the data set.
            var broken = Data with { Clients = [.. Data.Clients.Select((c, i) => i == 5 ? c with { Train = [int.MaxValue] } : c)] };
            Assert.ThrowsAny<ArgumentException>(() => Simulate(new SynchronousOptions { Cohort = 40 }, 3, threads, new ClientSgd(), data: broken));
        }
    }

    private static (float[] Model, List<UpdateRow> Rows, List<MetricsRow> Evaluations) Run(
        SchedulerOptions scheduler, ulong seed, int threads, CompressionOptions? compression = null)
    {
        var (_, record, model) = Simulate(scheduler, seed, threads, new ClientSgd { LearningRate = 0.1 }, compression: compression);
        return (model, record.Updates, [.. record.Evaluations.Select(e => e with { WallSeconds = 0 })]);
    }

    private static (SimulationOutcome Outcome, Recorder Record, float[] Model) Simulate(
        SchedulerOptions scheduler, ulong seed, int threads, LocalOptimizerOptions optimizer, int versions = 60, FederatedData? data = null,
        CompressionOptions? compression = null, ISimulationObserver? also = null, CancellationToken stop = default)
    {
        data ??= Data;
        var options = new RunOptions { Seed = seed, EvaluateEvery = 10, Stop = new StopOptions { Versions = versions } };
        SoftmaxRegression<float> Model() => new(TestData.Features, TestData.Classes);
        var initial = new float[Model().Layout.Count];
        Model().Initialize(initial, SeededRandom.Derive(seed, "model"));
        var state = new ModelState<float>(initial, new WeightedMean<float>(initial.Length), new Federated.Aggregation.ServerOptimizers.Sgd<float>(new()));
        var local = new LocalTrainingOptions { Optimizer = optimizer };
        using var workload = new TrainingWorkload<float>(
            () => new LocalTrainer<float>(Model(), local), data, local, compression ?? new CompressionOptions(), state, seed, versions, threads);
        var record = new Recorder();
        var machine = new RunMachine(options, Schedulers.Create(scheduler, new FixedWork(LocalWork.OfEpochs(2)), UpdateWeight.ByExamples));
        var outcome = new Simulator(machine, options, new Fleet(Restless, data.Clients.Count, seed), workload,
            also is null ? record : new CompositeObserver(record, also), TimeProvider.System).Run(stop);
        return (outcome, record, [.. state.Current.Parameters]);
    }
}

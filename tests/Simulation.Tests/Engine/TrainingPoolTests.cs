using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.Compression.Feedback;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Aggregation.ServerOptimizers;
using Federated.Coordinator.Models;
using Federated.Simulation.Engine;
using Federated.Training.Data;
using Federated.Training.LocalTraining;
using Federated.Training.Models;

namespace Federated.Simulation.Tests.Engine;

public static class TrainingPoolTests
{
    private static readonly FederatedData Data = new(
        new DataSet("one", [1, 1], [0, 1], [1], 2), new DataSet("none", [], [], [1], 2), [new ClientShard("0", [0, 1], [])]);

    public sealed class Begin
    {
        [Fact]
        public void Does_jobs_ahead_of_time_up_to_the_bound_and_no_further()
        {
            var model = new Counter();
            using var pool = Pool(3, () => model, d: 1 << 20);
            var state = State(1 << 20);
            Assert.Equal(64, pool.Lookahead); // 256 MiB are 64 deltas of 1 Mi floats.
            var jobs = Enumerable.Range(0, 200).Select(i => pool.Begin(state.Current, 0, 1, (ulong)i, 1, i, null, null)).ToList();
            foreach (var job in jobs)
            {
                pool.Complete(job);
                Assert.InRange(jobs.Count(j => j.State == JobState.Done && j.Delta is not null), 1, pool.Lookahead + 1);
                pool.Release(job);
            }

            Assert.Equal(200, model.Steps);
        }
    }

    public sealed class Release
    {
        [Fact]
        public void Of_a_job_that_nobody_began_means_that_it_never_runs()
        {
            var model = new Counter();
            using var pool = Pool(1, () => model, d: 4);
            var state = State(4);
            var (kept, dropped) = (pool.Begin(state.Current, 0, 1, 1, 1, 1, null, null), pool.Begin(state.Current, 0, 1, 2, 1, 2, null, null));
            pool.Release(dropped);
            pool.Complete(kept);
            pool.Release(kept);
            Assert.Equal(1, model.Steps);
        }

        [Fact]
        public void Waits_for_a_worker_that_uses_the_clients_encoder()
        {
            var model = new Slow();
            using var pool = Pool(2, () => model, d: 4);
            var encoder = UpdateCodecs.CreateEncoder<float>(new CompressionOptions { Codec = new TopKOptions(), Feedback = new ErrorFeedbackOptions() }, 4);
            var job = pool.Begin(State(4).Current, 0, 1, 1, 1, 1, null, encoder);
            model.Started.Wait();
            pool.Release(job);
            Assert.True(model.HasEnded, "The client's next task may begin while a worker is still at the cancelled one.");
        }
    }

    private static TrainingPool<float> Pool(int threads, Func<FakeModel> model, int d) => new(
        threads,
        () =>
        {
            var made = model();
            made.Resize(d);
            return new Worker<float>(new LocalTrainer<float>(made, new LocalTrainingOptions()), Data);
        });

    private static ModelState<float> State(int d) => new(new float[d], new WeightedMean<float>(d), new Sgd<float>(new SgdOptions()));

    private abstract class FakeModel : IModel<float>
    {
        public ParameterLayout Layout { get; private set; } = ParameterLayout.Of(("w", [1]));

        public void Resize(int d) => Layout = ParameterLayout.Of(("w", [d]));

        public void Initialize(Span<float> parameters, SeededRandom random) => parameters.Clear();

        public abstract double Gradient(ReadOnlySpan<float> parameters, in Batch<float> batch, Span<float> gradient);

        public Evaluation Evaluate(ReadOnlySpan<float> parameters, in Batch<float> batch) => default;
    }

    private sealed class Counter : FakeModel
    {
        private int steps;

        public int Steps => steps;

        public override double Gradient(ReadOnlySpan<float> parameters, in Batch<float> batch, Span<float> gradient)
        {
            Interlocked.Increment(ref steps);
            gradient.Clear();
            return 0;
        }
    }

    private sealed class Slow : FakeModel
    {
        private volatile bool hasEnded;

        public ManualResetEventSlim Started { get; } = new();

        public bool HasEnded => hasEnded;

        public override double Gradient(ReadOnlySpan<float> parameters, in Batch<float> batch, Span<float> gradient)
        {
            Started.Set();
            for (var i = 0; i < 20_000_000; i++)
            {
                gradient[i & 3] = i;
            }

            hasEnded = true;
            return 0;
        }
    }
}

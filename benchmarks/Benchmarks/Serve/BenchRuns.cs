using System.Globalization;
using System.Text;
using System.Text.Json;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.ServerOptimizers;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Coordinator.Storage;
using Federated.Privacy.Statements;
using Federated.Protocol;

namespace Federated.Benchmarks.Serve;

/// <summary>Runs of d parameters: <c>buffered D CONCURRENCY GOAL</c>, <c>idle COHORT</c> (a round that never fills), <c>transport BYTES</c> (takes updates and holds none).</summary>
internal sealed class BenchRuns : IRunFactory, IRunConfigurations
{
    public byte[] Read(string text, IReadOnlyList<string> sets) => Encoding.UTF8.GetBytes(text);

    public RunDescription Describe(ReadOnlyMemory<byte> configuration) => new(
        "bench", Encoding.UTF8.GetString(configuration.Span), "", "", PrivacyStatement.None(StatementSetting.Served));

    public RunParts Create(ReadOnlyMemory<byte> configuration, IBlobStore blobs)
    {
        var words = Encoding.UTF8.GetString(configuration.Span).Split(' ');
        var work = new FixedWork(LocalWork.OfSteps(1));
        var d = words[0] == "buffered" ? Number(words[1]) : 16;
        var layout = ParameterLayout.Of(("w", [d]));
        IScheduler scheduler = words[0] switch
        {
            "buffered" => new BufferedScheduler(new BufferedOptions { Concurrency = Number(words[2]), AggregationGoal = Number(words[3]) }, work, UpdateWeight.Equal),
            "idle" => new SynchronousScheduler(new SynchronousOptions { Cohort = Number(words[1]) }, work, UpdateWeight.Equal),
            _ => new BufferedScheduler(new BufferedOptions { Concurrency = 10, AggregationGoal = 1000 }, work, UpdateWeight.Equal),
        };
        var model = new BlobModel<float>(
            layout, () => new ModelState<float>(new float[d], new WeightedMean<float>(d), ServerOptimizers.Create<float>(new SgdOptions(), d)), ElementType.F32);
        return new RunParts
        {
            Machine = new RunMachine(new RunOptions { EvaluateEvery = 0, Stop = new StopOptions { ClientUpdates = long.MaxValue } }, scheduler),
            Model = words[0] == "transport" ? new Unheld(model) : model,
            Layout = layout,
            Training = JsonSerializer.SerializeToElement(new Dictionary<string, string>()),
            MaxUpdateBytes = words[0] == "transport" ? long.Parse(words[1], CultureInfo.InvariantCulture) : (4L * d) + 4096,
            Terms = _ => new AssignmentTerms(1, 1, null),
        };
    }

    private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);

    /// <summary>Takes whatever comes: what is measured is the way in, not the model's own memory, which is a multiple of d for anybody.</summary>
    private sealed class Unheld(IRunModel inner) : IRunModel
    {
        public ValueTask<UpdateCheck> CheckAsync(UpdateReport report, OpenBlob open, CancellationToken cancellation) => ValueTask.FromResult(UpdateCheck.Fine);

        public ValueTask AccumulateAsync(Accumulate effect, BlobReference? baseModel, IBlobStore blobs, CancellationToken cancellation) => ValueTask.CompletedTask;

        public void Publish(Publish effect) => inner.Publish(effect);

        public ValueTask<VersionBlobs> SaveVersionAsync(IBlobStore blobs, CancellationToken cancellation) => inner.SaveVersionAsync(blobs, cancellation);

        public ValueTask<BlobReference?> SaveStateAsync(IBlobStore blobs, CancellationToken cancellation) => inner.SaveStateAsync(blobs, cancellation);

        public ValueTask LoadAsync(int version, VersionBlobs saved, BlobReference? state, IBlobStore blobs, CancellationToken cancellation) =>
            inner.LoadAsync(version, saved, state, blobs, cancellation);
    }
}

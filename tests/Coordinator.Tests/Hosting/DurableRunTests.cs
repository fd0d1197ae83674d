using Federated.Aggregation.Averaging;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.ServerOptimizers;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Models;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

public sealed class DurableRunTests
{
    private static readonly ParameterLayout Layout = ParameterLayout.Of(("w", [4]));

    private readonly FaultyFileSystem disk = new(1);

    /// <summary>A group that publishes and then accumulates: the snapshot is taken with an aggregate half open.</summary>
    [Fact]
    public async Task AnAggregateThatWasOpenWhenTheSnapshotWasTakenIsOpenedAgain()
    {
        var (run, model) = await OpenAsync();
        await using (run)
        {
            await PostAsync(run, new RunStarted(0), new ClientJoined(0, new ClientId(0), 1), new ClientJoined(0, new ClientId(1), 1), new ClientJoined(0, new ClientId(2), 1));
            await PostAsync(run, new CheckIn(1, new ClientId(0)), new CheckIn(1, new ClientId(1)), new CheckIn(1, new ClientId(2)), new DeadlinePassed(1, new Deadline(DeadlineKind.Scheduler, 0)));
            var leases = run.Machine.Assignments.OrderBy(a => a.Id).ToList();
            Assert.Equal(3, leases.Count);
            await PostAsync(run, await Task.WhenAll(leases.Select(Arrival)));
            Assert.Equal((1, 1), (run.Machine.Version, run.Machine.OpenAggregate.Count));
        }

        (run, model) = await OpenAsync();
        await using var owned = run;
        Assert.Equal((1, 1), (run.Machine.Version, run.Machine.OpenAggregate.Count));
        model.Publish(new Publish(2, 1));
        Assert.Equal([1.0, 1, 1, 0], model.State.Current.Parameters);
    }

    /// <summary>What its machine has seen and its model has not would be saved, and the update lost for good.</summary>
    [Fact]
    public async Task ARunThatFailedHalfwayTakesNothingAndSavesNothingUntilItIsOpenedAgain()
    {
        var (run, model) = await OpenAsync();
        FileBlobStore store = new(disk, "blobs");
        Assignment lease;
        byte[] bytes;
        RunEvent lost;
        await using (run)
        {
            await PostAsync(run, new RunStarted(0), new ClientJoined(0, new ClientId(0), 1), new CheckIn(1, new ClientId(0)), new DeadlinePassed(1, new Deadline(DeadlineKind.Scheduler, 0)));
            lease = Assert.Single(run.Machine.Assignments);
            lost = await Arrival(lease);
            var delta = ((UpdateArrived)lost).Report.Delta!;
            await using (var read = await store.OpenAsync(delta, default))
            {
                bytes = new byte[delta.Length];
                await read.ReadExactlyAsync(bytes);
            }

            disk.Delete($"blobs/{delta.Sha256[..2]}/{delta.Sha256}");
            await Assert.ThrowsAsync<StorageException>(() => PostAsync(run, lost));
            var next = run.NextSequence;
            Assert.Contains("must be opened again", (await Assert.ThrowsAsync<StorageException>(() => PostAsync(run, new CheckIn(3, new ClientId(0))))).Message, StringComparison.Ordinal);
            Assert.Contains("must be opened again", (await Assert.ThrowsAsync<StorageException>(async () => await run.SaveAsync(default))).Message, StringComparison.Ordinal);
            Assert.Equal(next, run.NextSequence);
        }

        await using (var mended = await store.CreateAsync(default))
        {
            await mended.WriteAsync(bytes, default);
            await mended.CommitAsync(null, default);
        }

        (run, model) = await OpenAsync();
        await using var owned = run;
        model.Publish(new Publish(1, 1));
        Assert.Equal([1.0, 0, 0, 0], model.State.Current.Parameters);
    }

    private static async Task PostAsync(DurableRun run, params RunEvent[] events) => await run.PostAsync([.. events.Select(e => new LoggedEvent(e))], default);

    private async Task<RunEvent> Arrival(Assignment lease)
    {
        var delta = new double[4];
        delta[lease.Id.Value] = 1;
        using var bytes = new MemoryStream();
        new SafetensorsWriter().Add<double>(Layout, delta, ElementType.F64).WriteTo(bytes);
        await using var blob = await new FileBlobStore(disk, "blobs").CreateAsync(default);
        await blob.WriteAsync(bytes.ToArray(), default);
        var report = new UpdateReport { Examples = 1, LocalSteps = 1, Delta = await blob.CommitAsync(null, default) };
        return new UpdateArrived(2, lease.Id, lease.Client, report, false);
    }

    private async Task<(DurableRun Run, BlobModel<double> Model)> OpenAsync()
    {
        var model = new BlobModel<double>(Layout, () =>
            new ModelState<double>(new double[4], new WeightedMean<double>(4, new WeightedMeanOptions { Normalisation = Normalisation.None }), new Sum()), ElementType.F64);
        var scheduler = new BufferedScheduler(new BufferedOptions { Concurrency = 3, AggregationGoal = 2 }, new FixedWork(LocalWork.OfSteps(1)), UpdateWeight.Equal);
        var machine = new RunMachine(new RunOptions { Stop = new StopOptions { Versions = 10 } }, scheduler);
        var parts = TestParts.Of(machine, model, Layout);
        var options = new DurabilityOptions { ReplaySeconds = 0, KeepLast = 2 };
        return (await DurableRun.OpenAsync(parts, new FileRunLog(disk, "run"), new FileBlobStore(disk, "blobs"), new MemoryBlobs(), options, default), model);
    }

    private sealed class Sum : IServerOptimizer<double>
    {
        public string Name => "sum";

        public IReadOnlyDictionary<string, Memory<double>> State { get; } = new Dictionary<string, Memory<double>>();

        public void Step(Span<double> model, ReadOnlySpan<double> pseudoGradient)
        {
            for (var i = 0; i < model.Length; i++)
            {
                model[i] += pseudoGradient[i];
            }
        }
    }
}

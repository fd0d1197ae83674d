using System.Security.Cryptography;
using System.Threading.Channels;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol.Shuffling;
using Federated.Shuffler.Batches;
using Federated.Shuffler.Delivery;

namespace Federated.Shuffler.Tests;

/// <summary>What goes wrong beneath a service, once: nobody waits for ever, and no batch stays behind.</summary>
public sealed class ShufflerServiceTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly FaultyFileSystem disk = new(1);
    private readonly Destination destination = new();
    private readonly ShufflerService service;
    private Exception? nextSync;

    public ShufflerServiceTests()
    {
        disk.BeforeSync = () =>
        {
            if (Interlocked.Exchange(ref nextSync, null) is { } failure)
            {
                throw failure;
            }
        };
        service = ShufflerService.Start(new FaultyDisk(disk), key, new BatchRules(2), destination, TimeProvider.System, TimeSpan.FromMilliseconds(1));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await service.DisposeAsync();
        key.Dispose();
    }

    private static HeldReport Report(long assignment) => Bench.Report(new ShuffleTicket(
        "run", $"v{assignment / 2}", 2, 2, 60, Bench.ReportBytes, 0, 1, assignment, (int)assignment, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 3600));

    private async Task FillAsync(int batch)
    {
        foreach (var assignment in (long[])[2 * batch, (2 * batch) + 1])
        {
            Assert.Equal(ReportOutcome.Held, await service.TakeAsync(Report(assignment)).WaitAsync(Patience));
        }
    }

    [Fact]
    public async Task ABatchWhoseEndCouldNotBeWrittenIsSentAgain()
    {
        destination.Answer = _ =>
        {
            disk.Capacity = 0;
            destination.Answer = _ =>
            {
                disk.Capacity = long.MaxValue;
                return new Delivered(DeliveryOutcome.Taken, "");
            };
            return new Delivered(DeliveryOutcome.Taken, "");
        };
        await FillAsync(0);
        var first = await destination.NextAsync(Patience);
        Assert.Equal(first, await destination.NextAsync(Patience));
    }

    [Fact]
    public async Task ABatchWhoseSendingFailsInAWayThatNobodyThoughtOfIsSentAgain()
    {
        destination.Answer = _ =>
        {
            destination.Answer = _ => new Delivered(DeliveryOutcome.Taken, "");
            throw new InvalidOperationException("A defect.");
        };
        await FillAsync(0);
        Assert.Equal(await destination.NextAsync(Patience), await destination.NextAsync(Patience));
    }

    [Fact]
    public async Task AReportThatMeetsADefectIsRefusedForNowAndTheServiceGoesOn()
    {
        nextSync = new InvalidOperationException("A defect.");
        Assert.Null(await service.TakeAsync(Report(0)).WaitAsync(Patience));
        Assert.Contains("A defect.", service.Trouble, StringComparison.Ordinal);
        await FillAsync(0);
        await destination.NextAsync(Patience);
    }

    /// <summary>Whoever is told that a report is held may forget it: nobody is, while the disk writes nothing.</summary>
    [Fact]
    public async Task AReportIsHeldOnlyOnceTheDiskWritesAgain()
    {
        disk.FailSyncIn = 0;
        Assert.Null(await service.TakeAsync(Report(0)).WaitAsync(Patience));
        Assert.Contains("The disk failed", service.Trouble, StringComparison.Ordinal);
        Assert.False(service.IsReady);
        disk.FailSyncIn = 0;
        Assert.Null(await service.TakeAsync(Report(0)).WaitAsync(Patience)); // What is on the disk cannot be made durable either.
        Assert.False(service.IsReady);
        await FillAsync(0);
        Assert.True(service.IsReady);
        await destination.NextAsync(Patience);
    }

    private sealed class Destination : IDestination
    {
        private readonly Channel<string> sent = Channel.CreateUnbounded<string>();

        public Func<ClosedBatch, Delivered> Answer { get; set; } = _ => new Delivered(DeliveryOutcome.Taken, "");

        /// <summary>The id of the next batch that was sent.</summary>
        public Task<string> NextAsync(TimeSpan patience) => sent.Reader.ReadAsync().AsTask().WaitAsync(patience);

        public Task<Delivered> SendAsync(ClosedBatch batch, CancellationToken cancellation)
        {
            sent.Writer.TryWrite(batch.Id);
            return Task.FromResult(Answer(batch));
        }
    }
}

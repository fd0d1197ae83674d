using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

public abstract partial class RunHostTests
{
    public sealed class ReadingUpdates : RunHostTests
    {
        private readonly MemoryBlobs memory = new();
        private bool isRemote = true;

        [Fact]
        public async Task OneThatIsInARemoteStoreIsReadOnce()
        {
            var (host, store) = await OpenAsync(new RunHostOptions());
            var submission = await StoredAsync(host, store, "a");
            Assert.IsType<UpdateTaken>(await host.SubmitAsync(submission, default));
            Assert.Equal((1, 1.0), (store.Reads(submission.Report.Delta!), Sum));
            Assert.Equal(0, Held);
        }

        [Fact]
        public async Task OneThatIsAFileIsReadAgainByTheLoopAndNotKeptInMemory()
        {
            isRemote = false;
            var (host, store) = await OpenAsync(new RunHostOptions());
            var submission = await StoredAsync(host, store, "a");
            Assert.IsType<UpdateTaken>(await host.SubmitAsync(submission, default));
            Assert.Equal((2, 1.0), (store.Reads(submission.Report.Delta!), Sum));
        }

        [Fact]
        public async Task OneForWhichThereIsNoRoomIsReadAgainByTheLoop()
        {
            var (host, store) = await OpenAsync(new RunHostOptions { ReadAheadBytes = 100 });
            var submission = await StoredAsync(host, store, "a");
            Assert.IsType<UpdateTaken>(await host.SubmitAsync(submission, default));
            Assert.Equal((2, 1.0), (store.Reads(submission.Report.Delta!), Sum));
            Assert.Equal(0, Held);
        }

        [Fact]
        public async Task OneThatIsAtHandIsNotRead()
        {
            var (host, store) = await OpenAsync(new RunHostOptions { ReadAheadBytes = 0 });
            var submission = await StoredAsync(host, store, "a");
            var (reference, bytes) = TestFactory.OneHot(submission.Assignment);
            Assert.IsType<UpdateTaken>(await host.SubmitAsync(submission with { AtHand = [new InlineBlob(reference, bytes)] }, default));
            Assert.Equal((0, 1.0), (store.Reads(submission.Report.Delta!), Sum));
            Assert.Equal(0, Held);
        }

        [Fact]
        public async Task OneThatWasCheckedElsewhereIsOnlyAdded()
        {
            var (host, store) = await OpenAsync(new RunHostOptions());
            var submission = await StoredAsync(host, store, "a") with { IsChecked = true };
            Assert.IsType<UpdateTaken>(await host.SubmitAsync(submission, default));
            Assert.Equal((1, 1.0), (store.Reads(submission.Report.Delta!), Sum));
            var second = await StoredAsync(host, store, "b") with { IsChecked = true };
            var refused = Assert.IsType<UpdateRefused>(await host.SubmitAsync(second with { Report = second.Report with { IsFinite = false } }, default));
            Assert.Equal((Rejection.NotFinite, 1.0), (refused.Reason, Sum));
            var third = TestFactory.Submission(await GrantedAsync(host.CheckInAsync(await JoinAsync(host, "c"), Long, default))) with { Inline = [], IsChecked = true };
            Assert.Equal(third.Report.Delta, Assert.Single(Assert.IsType<BlobsMissing>(await host.SubmitAsync(third, default)).Blobs));
            Assert.Equal(0, Held);
        }

        [Fact]
        public async Task TheSameBytesFromSeveralClientsCountForEachOfThem()
        {
            var (host, store) = await OpenAsync(new RunHostOptions());
            var first = await StoredAsync(host, store, "a");
            List<UpdateSubmission> all = [first];
            foreach (var name in (string[])["b", "c", "d"])
            {
                var lease = await GrantedAsync(host.CheckInAsync(await JoinAsync(host, name), Long, default));
                all.Add(first with { Assignment = lease.Id, Client = lease.Client });
            }

            Assert.All(await Task.WhenAll(all.Select(s => host.SubmitAsync(s, default))), result => Assert.IsType<UpdateTaken>(result));
            Assert.Equal(4.0, Sum);
            Assert.Equal(0, Held);
        }

        private double Sum => Factory.Last!.State.Current.Parameters.Sum();

        /// <summary>Bytes in memory, or kept free for some that are not any more.</summary>
        private long Held
        {
            get
            {
                var isFree = memory.TryReserve(1000, 1000);
                memory.GiveBack(isFree ? 1000 : 0);
                return memory.Bytes + (isFree ? 0 : 1);
            }
        }

        private async Task<(RunHost Host, WatchedStore Store)> OpenAsync(RunHostOptions options)
        {
            var store = new WatchedStore(new FileStore(process), isRemote);
            var host = await RunHost.OpenAsync(
                new RunEntry("run", time.GetUtcNow(), TestFactory.Buffered(4, 1), null), Factory, store, memory, time,
                options with { Durability = new DurabilityOptions { InlineBytes = 0 } }, default);
            hosts.Add(host);
            return (host, store);
        }

        private async Task<UpdateSubmission> StoredAsync(RunHost host, WatchedStore store, string name)
        {
            var submission = TestFactory.Submission(await GrantedAsync(host.CheckInAsync(await JoinAsync(host, name), Long, default)));
            await using var writer = await store.Blobs.CreateAsync(default);
            await writer.WriteAsync(submission.Inline[0].Bytes, default);
            await writer.CommitAsync(submission.Report.Delta, default);
            return submission with { Inline = [] };
        }
    }
}

using System.Threading.Channels;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

public abstract partial class RunHostTests
{
    public sealed class TheMailbox : RunHostTests
    {
        [Fact]
        public async Task MakesWhatWaitsDurableWithOneSync()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            await JoinAsync(host, "a");
            using var reached = new SemaphoreSlim(0);
            using var go = new ManualResetEventSlim();
            disk.BeforeSync = () =>
            {
                reached.Release();
                go.Wait();
            };
            var before = disk.Syncs;
            var first = host.JoinAsync("first", 1);
            await reached.WaitAsync();
            var others = Enumerable.Range(0, 100).Select(i => host.JoinAsync($"client-{i}", 1)).ToList();
            go.Set();
            await Task.WhenAll(others.Append(first));
            Assert.Equal(2, disk.Syncs - before);
            Assert.Equal(102, host.View.Clients);
        }

        [Fact]
        public async Task ThatIsFullSaysSo()
        {
            Options = new RunHostOptions { MailboxCapacity = 5 };
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            using var reached = new SemaphoreSlim(0);
            using var go = new ManualResetEventSlim();
            disk.BeforeSync = () =>
            {
                reached.Release();
                go.Wait();
            };
            var first = host.JoinAsync("first", 1);
            await reached.WaitAsync();
            var others = Enumerable.Range(0, 8).Select(i => host.JoinAsync($"client-{i}", 1)).ToList();
            var refused = others.Where(o => o.IsCompleted).ToList(); // The loop is at the disk: nobody else can have been answered.
            Assert.Equal([HostOutcome.Busy, HostOutcome.Busy, HostOutcome.Busy], (await Task.WhenAll(refused)).Select(r => r.Outcome));
            go.Set();
            Assert.Equal(5, (await Task.WhenAll(others)).Count(o => o.Outcome == HostOutcome.Done));
        }

        [Fact]
        public async Task ACheckInThatArrivesWithTheUpdateBeforeItIsGivenTheNextAssignment()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var client = await JoinAsync(host, "a");
            var lease = await GrantedAsync(host.CheckInAsync(client, Long, default));
            using var reached = new SemaphoreSlim(0);
            using var go = new ManualResetEventSlim();
            disk.BeforeSync = () =>
            {
                reached.Release();
                go.Wait();
            };
            var first = host.JoinAsync("first", 1);
            await reached.WaitAsync();
            var submitting = host.SubmitAsync(TestFactory.Submission(lease), default);
            var checkIn = host.CheckInAsync(client, Long, default); // When it is looked at, the client is still at work.
            go.Set();
            await first;
            Assert.IsType<UpdateTaken>(await submitting);
            Assert.NotEqual(lease.Id, (await GrantedAsync(checkIn)).Id);
        }
    }

    public sealed class AVersion : RunHostTests
    {
        /// <summary>The request for a version's model comes right behind the reply that names it, on another thread.</summary>
        [Fact]
        public async Task CanBeHadBeforeAnybodyIsToldOfIt()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var lease = await GrantedAsync(host.CheckInAsync(await JoinAsync(host, "a"), Long, default));
            var waiting = host.CheckInAsync(await JoinAsync(host, "b"), Long, default);
            var syncs = new SemaphoreSlim(0);
            using var first = new ManualResetEventSlim();
            using var second = new ManualResetEventSlim();
            using var third = new ManualResetEventSlim();
            var gates = new Queue<ManualResetEventSlim>([first, second, third]);
            disk.BeforeSync = () =>
            {
                syncs.Release();
                (gates.TryDequeue(out var gate) ? gate : null)?.Wait();
            };
            var joining = host.JoinAsync("c", 1);
            await syncs.WaitAsync();
            var submitting = host.SubmitAsync(TestFactory.Submission(lease), default); // These two make the next group: it is saved when it has been told.
            var saving = host.SaveAsync();
            first.Set();
            await syncs.WaitAsync();
            Assert.Equal(0, host.View.Version); // Nothing is durable yet.
            second.Set();
            var told = await GrantedAsync(waiting);
            Assert.Equal((1, true), (told.BaseVersion, host.View.Versions.ContainsKey(1)));
            Assert.False(saving.IsCompleted);
            third.Set();
            await Task.WhenAll(joining, submitting, saving);
        }
    }

    public sealed class AFailingStore : RunHostTests
    {
        [Fact]
        public async Task FailsTheRequestsAndTheRunGoesOnWhenItIsMended()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var client = await JoinAsync(host, "a");
            var lease = await GrantedAsync(host.CheckInAsync(client, Long, default));
            var waiting = host.CheckInAsync(await JoinAsync(host, "b"), Long, default);
            disk.Capacity = 0;
            Assert.Equal(HostOutcome.Unavailable, Assert.IsType<UpdateNotAsked>(await host.SubmitAsync(TestFactory.Submission(lease), default)).Outcome);
            Assert.Equal(HostOutcome.Unavailable, Assert.IsType<NotAsked>(await waiting).Outcome);
            disk.Capacity = long.MaxValue;
            SubmitResult result;
            do
            {
                time.Advance(40);
                await Task.Yield();
                result = await host.SubmitAsync(TestFactory.Submission(lease), default);
            }
            while (result is UpdateNotAsked { Outcome: HostOutcome.Unavailable });
            Assert.IsType<UpdateTaken>(result);
            Assert.Equal(1, host.View.Counters.Accepted);
        }

        /// <summary>Not every failure of a disk comes as one of the store's: what comes through as it is must not end the run either.</summary>
        [Theory]
        [InlineData(false)]
        [InlineData(true)]
        public async Task DoesNotEndTheRunWhateverItThrows(bool isDenied)
        {
            await using var store = new FalteringStore(new FileStore(process));
            var host = await RunHost.OpenAsync(
                new RunEntry("run", time.GetUtcNow(), TestFactory.Buffered(1, 1), null), Factory, store, new MemoryBlobs(), time, Options, default);
            hosts.Add(host);
            store.Failure = store.LoadFailure = isDenied ? new UnauthorizedAccessException("Access to the path is denied.") : new IOException("Input/output error.");
            Assert.Equal(HostOutcome.Unavailable, (await host.JoinAsync("a", 1)).Outcome);
            Assert.Equal((HostState.Opening, store.LoadFailure.Message), (host.View.Host, host.View.Problem));
            store.LoadFailure = null;
            while (host.View.Host == HostState.Opening)
            {
                time.Advance(40); // Again and again: it may only be about to wait.
                await Task.Yield();
            }

            Assert.Equal(HostOutcome.Done, (await host.JoinAsync("a", 1)).Outcome);
        }

        [Theory]
        [InlineData(0.5, new[] { 0.1, 0.2, 0.4, 0.5, 0.5 })]
        [InlineData(0.15, new[] { 0.1, 0.15, 0.15, 0.15, 0.15 })]
        public async Task IsTriedAgainAfterLongerAndLongerAndNoLongerThanIsSaid(double longest, double[] pauses)
        {
            Options = new RunHostOptions { LongestRetry = longest };
            await using var store = new FalteringStore(new FileStore(process));
            var host = await RunHost.OpenAsync(
                new RunEntry("run", time.GetUtcNow(), TestFactory.Buffered(1, 1), null), Factory, store, new MemoryBlobs(), time, Options, default);
            hosts.Add(host);
            var waits = Channel.CreateUnbounded<TimeSpan>();
            time.Armed = wait => waits.Writer.TryWrite(wait);
            store.Failure = store.LoadFailure = new StorageException("The store is away.");
            Assert.Equal(HostOutcome.Unavailable, (await host.JoinAsync("a", 1)).Outcome);
            foreach (var pause in pauses)
            {
                Assert.Equal(pause, (await waits.Reader.ReadAsync()).TotalSeconds, 9);
                Assert.Equal((HostState.Opening, "The store is away."), (host.View.Host, host.View.Problem));
                time.Advance(pause);
            }
        }

        [Fact]
        public async Task DoesNotChangeTheNumbersOfClientsThatWaitForEachOther()
        {
            Factory = new TestFactory { ExpectedClients = 3 };
            var host = await OpenAsync(TestFactory.Synchronous(3));
            Assert.Equal(2, await EnterAsync("c"));
            Assert.Equal(1, await EnterAsync("b"));
            var waits = Channel.CreateUnbounded<TimeSpan>();
            time.Armed = wait => waits.Writer.TryWrite(wait);
            disk.Capacity = 0;
            Assert.Equal(1, await EnterAsync("a")); // All are there, and none can be numbered.
            disk.Capacity = long.MaxValue;
            while (host.View.Host != HostState.Open)
            {
                if (waits.Reader.TryRead(out var wait))
                {
                    time.Advance(wait.TotalSeconds); // No further: whoever is not heard of for minutes is counted as gone.
                }

                await Task.Yield();
            }

            Assert.Equal(0, await EnterAsync("c"));
            Assert.Equal([0, 1, 2], new[] { "a", "b", "c" }.Select(n => host.Find(n)!.Value.Value));

            Task<int> EnterAsync(string name) => host.EnterAsync(name, name, 10, TimeSpan.Zero, default).AsTask();
        }

        [Fact]
        public async Task AConfigurationThatCannotBeRunIsAProblemAndNoException()
        {
            createdAt = time.GetUtcNow();
            var host = await RunHost.OpenAsync(
                new RunEntry("run", createdAt.Value, "nonsense"u8.ToArray(), null), Factory, new FileStore(process), new MemoryBlobs(), time, Options, default);
            hosts.Add(host);
            Assert.Equal(HostState.Failed, host.View.Host);
            Assert.Contains("no test configuration", host.View.Problem, StringComparison.Ordinal);
            Assert.Equal(HostOutcome.Failed, (await host.JoinAsync("a", 1)).Outcome);
        }
    }

    public sealed class AnotherHostOfTheRun : RunHostTests
    {
        [Fact]
        public async Task ThatTakesItOverWhileThisOneOpensItIsLeftAlone()
        {
            await using var store = new FalteringStore(new FileStore(process)) { Failure = new FencedException("Another host writes it.") };
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            var host = await RunHost.OpenAsync(
                new RunEntry("run", time.GetUtcNow(), TestFactory.Buffered(1, 1), null), Factory, store, new MemoryBlobs(), time, Options, patience.Token);
            hosts.Add(host);
            Assert.Equal((HostState.Fenced, "Another host writes it."), (host.View.Host, host.View.Problem));
            Assert.Equal(HostOutcome.Closed, (await host.JoinAsync("a", 1)).Outcome);
            time.Advance(3600);
            Assert.Equal(HostOutcome.Closed, (await host.JoinAsync("a", 1)).Outcome);
            Assert.Equal(1, store.LogsOpened); // Opening it again would take it from the other.
        }
    }

    public sealed class Closing : RunHostTests
    {
        [Fact]
        public async Task LetsLongPollsGoAndSavesTheRun()
        {
            var host = await OpenAsync(TestFactory.Synchronous(2));
            var client = await JoinAsync(host, "a");
            var waiting = host.CheckInAsync(client, Long, default);
            var feed = host.Subscribe(10);
            await host.CloseAsync();
            Assert.Equal(HostOutcome.Closed, Assert.IsType<NotAsked>(await waiting).Outcome);
            Assert.Equal(HostOutcome.Closed, (await host.JoinAsync("b", 1)).Outcome);
            await foreach (var notice in feed.Reader.ReadAllAsync())
            {
                Assert.IsType<CheckIn>(notice.Event); // And then it ends.
            }

            Assert.Single(disk.List("runs/run"), n => n.StartsWith("snapshot-", StringComparison.Ordinal));
        }
    }
}

using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

public abstract partial class RunHostTests : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private readonly FaultyFileSystem disk = new(1);
    private readonly ManualTime time = new();
    private readonly List<RunHost> hosts = [];
    private MortalFileSystem process;
    private DateTimeOffset? createdAt;

    protected RunHostTests() => process = new MortalFileSystem(disk);

    private TestFactory Factory { get; set; } = new();

    private RunHostOptions Options { get; set; } = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        disk.Capacity = long.MaxValue;
        disk.BeforeSync = null;
        foreach (var host in hosts)
        {
            await host.DisposeAsync();
        }
    }

    private void Crash()
    {
        process.Kill();
        disk.Restart();
        process = new MortalFileSystem(disk);
    }

    private async Task<RunHost> OpenAsync(ReadOnlyMemory<byte> configuration)
    {
        createdAt ??= time.GetUtcNow();
        var host = await RunHost.OpenAsync(
            new RunEntry("run", createdAt.Value, configuration, null), Factory, new FileStore(process), new MemoryBlobs(), time, Options, default);
        hosts.Add(host);
        Assert.Equal((HostState.Open, ""), (host.View.Host, host.View.Problem));
        return host;
    }

    private static async Task<ClientId> JoinAsync(RunHost host, string name)
    {
        var (outcome, client, _) = await host.JoinAsync(name, 10);
        Assert.Equal(HostOutcome.Done, outcome);
        return client;
    }

    private static async Task<Assignment> GrantedAsync(Task<CheckInResult> checkIn) => Assert.IsType<Granted>(await checkIn).Assignment;

    public sealed class Joining : RunHostTests
    {
        [Fact]
        public async Task NumbersClientsInOrderAndRemembersThem()
        {
            var host = await OpenAsync(TestFactory.Buffered(2, 2));
            Assert.Equal([0, 1, 0], (await Task.WhenAll(host.JoinAsync("a", 1), host.JoinAsync("b", 1), host.JoinAsync("a", 1))).Select(j => j.Client.Value));
            Assert.Equal(2, host.View.Clients);
            Crash();
            var again = await OpenAsync(TestFactory.Buffered(2, 2));
            Assert.Equal(new ClientId(1), again.Find("b"));
            Assert.Equal("a", again.NameOf(new ClientId(0)));
            Assert.Equal(new ClientId(2), await JoinAsync(again, "c"));
            await again.SaveAsync();
            Crash();
            Assert.Equal("c", (await OpenAsync(TestFactory.Buffered(2, 2))).NameOf(new ClientId(2)));
        }
    }

    public sealed class CheckingIn : RunHostTests
    {
        /// <summary>Whoever waits without a connection keeps its place only while it comes back within the grace.</summary>
        [Fact]
        public async Task ThatHasToWaitIsToComeBackThriceBeforeItIsTakenForGone()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            await GrantedAsync(host.CheckInAsync(await JoinAsync(host, "a"), Long, default));
            var waiting = Assert.IsType<Waiting>(await host.CheckInAsync(await JoinAsync(host, "b"), TimeSpan.Zero, default));
            Assert.Equal(TimeSpan.FromSeconds(Options.AbsenceGrace / 3), waiting.RetryAfter);
        }

        [Fact]
        public async Task WhoGaveAnAssignmentUpIsToldThatItEndedAndNotThatItWasTakenAway()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var client = await JoinAsync(host, "a");
            var lease = await GrantedAsync(host.CheckInAsync(client, Long, default));
            Assert.Equal(HostOutcome.Done, (await host.FailAsync(lease.Id, client, "flat battery")).Outcome);
            Assert.Equal(AssignmentStanding.Ended, (await host.WatchAsync(lease.Id, client, TimeSpan.Zero, default)).State.Standing);
        }

        [Fact]
        public async Task WaitsUntilThereIsWork()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var (a, b) = (await JoinAsync(host, "a"), await JoinAsync(host, "b"));
            var lease = await GrantedAsync(host.CheckInAsync(a, Long, default));
            var waiting = host.CheckInAsync(b, Long, default);
            Assert.IsType<Waiting>(await host.CheckInAsync(new ClientId(b.Value), TimeSpan.Zero, default)); // Takes the place of the poll.
            Assert.IsType<Waiting>(await waiting);
            waiting = host.CheckInAsync(b, Long, default);
            Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(lease), default));
            Assert.Equal(b, (await GrantedAsync(waiting)).Client);
        }

        [Fact]
        public async Task GivesAnAssignmentInFlightAgain()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var client = await JoinAsync(host, "a");
            var lease = await GrantedAsync(host.CheckInAsync(client, Long, default));
            var sequence = host.View.Sequence;
            Assert.Equal(lease, await GrantedAsync(host.CheckInAsync(client, Long, default)));
            Assert.Equal(sequence, host.View.Sequence);
            Crash();
            var again = await OpenAsync(TestFactory.Buffered(1, 1));
            Assert.Equal(lease, await GrantedAsync(again.CheckInAsync(client, Long, default)));
        }

        [Fact]
        public async Task KeepsItsPlaceForAsLongAsIsSaidAndNoLonger()
        {
            Options = new RunHostOptions { AbsenceGrace = 5 };
            var host = await OpenAsync(TestFactory.Synchronous(2));
            var client = await JoinAsync(host, "a");
            Assert.IsType<Waiting>(await host.CheckInAsync(client, TimeSpan.Zero, default));
            time.Advance(4);
            await host.SaveAsync(); // What came before is in.
            Assert.Equal(1, host.View.WaitingClients);
            Assert.IsType<Waiting>(await host.CheckInAsync(client, TimeSpan.Zero, default)); // From here on anew.
            time.Advance(4);
            await host.SaveAsync();
            Assert.Equal(1, host.View.WaitingClients);
            time.Advance(2);
            await host.SaveAsync();
            Assert.Equal(0, host.View.WaitingClients);
        }

        [Fact]
        public async Task ThatWaitsTellsWhyAndTheNextPollCostsNoEvent()
        {
            var host = await OpenAsync(TestFactory.Synchronous(3));
            var client = await JoinAsync(host, "a");
            var waiting = host.CheckInAsync(client, Long, default);
            await host.SaveAsync(); // The check-in is in.
            time.Advance(61);
            Assert.Equal("waiting for 2 of 3 clients to check in", Assert.IsType<Waiting>(await waiting).Reason.ToString());
            var sequence = host.View.Sequence;
            waiting = host.CheckInAsync(client, Long, default);
            await host.SaveAsync();
            time.Advance(61);
            Assert.IsType<Waiting>(await waiting);
            Assert.Equal(sequence, host.View.Sequence);
        }

        [Fact]
        public async Task AClientThatDoesNotComeBackLosesItsPlace()
        {
            var host = await OpenAsync(TestFactory.Synchronous(2));
            var (a, b) = (await JoinAsync(host, "a"), await JoinAsync(host, "b"));
            Assert.IsType<Waiting>(await host.CheckInAsync(a, TimeSpan.Zero, default));
            await host.SaveAsync();
            Assert.Equal(1, host.View.WaitingClients);
            time.Advance(31);
            await host.SaveAsync();
            Assert.Equal(0, host.View.WaitingClients);
            var waiting = host.CheckInAsync(b, Long, default);
            Assert.Equal(a, (await GrantedAsync(host.CheckInAsync(a, Long, default))).Client); // Only now there are two.
            Assert.Equal(b, (await GrantedAsync(waiting)).Client);
        }

        [Fact]
        public async Task AClientThatHangsUpIsNotWaitedFor()
        {
            var host = await OpenAsync(TestFactory.Synchronous(2));
            var client = await JoinAsync(host, "a");
            using var hangUp = new CancellationTokenSource();
            var waiting = host.CheckInAsync(client, Long, hangUp.Token);
            await hangUp.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
            await host.SaveAsync();
            Assert.Equal(0, host.View.LongPolls);
        }

        [Fact]
        public async Task ToARunThatIsOverSaysSo()
        {
            var host = await OpenAsync(TestFactory.Synchronous(2));
            var client = await JoinAsync(host, "a");
            var waiting = host.CheckInAsync(client, Long, default);
            await host.CommandAsync(OperatorAction.Stop, "enough");
            Assert.Equal(new RunOver(FinishReason.Operator, "enough", 0), await waiting);
            Assert.IsType<RunOver>(await host.CheckInAsync(client, Long, default));
        }

        [Fact]
        public async Task WhilePausedWaitsForTheResumption()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var client = await JoinAsync(host, "a");
            await host.CommandAsync(OperatorAction.Pause, "lunch");
            Assert.Equal(WaitKind.Paused, Assert.IsType<Waiting>(await host.CheckInAsync(client, TimeSpan.Zero, default)).Reason.Kind);
            var waiting = host.CheckInAsync(client, Long, default);
            await host.CommandAsync(OperatorAction.Resume, "back");
            await GrantedAsync(waiting);
        }
    }

    public sealed class Submitting : RunHostTests
    {
        [Fact]
        public async Task TwiceCountsOnce()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var client = await JoinAsync(host, "a");
            var lease = await GrantedAsync(host.CheckInAsync(client, Long, default));
            Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(lease), default));
            Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(lease), default));
            Assert.Equal((1, 1L), (host.View.Version, host.View.Counters.Accepted));
            Assert.Equal(1, Factory.Last!.State.Current.Parameters.Sum());
        }

        [Fact]
        public async Task ReadyBringsTheNextAssignment()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var client = await JoinAsync(host, "a");
            var lease = await GrantedAsync(host.CheckInAsync(client, Long, default));
            var taken = Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(lease, ready: true), default));
            var next = Assert.IsType<Granted>(taken.Next);
            Assert.Equal((1, 1L), (next.Assignment.BaseVersion, next.Assignment.Id.Value));
            Assert.Equal(host.View.Versions[1], next.Base);
        }

        [Fact]
        public async Task MakesAVersionThatOthersCanReadWhereTheyMust()
        {
            Options = new RunHostOptions { Durability = new DurabilityOptions { VersionsInMemory = false } };
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var lease = await GrantedAsync(host.CheckInAsync(await JoinAsync(host, "a"), Long, default));
            Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(lease), default));
            Assert.True(await new FileStore(disk).Blobs.ContainsAsync(host.View.Versions[1].Model, default));
        }

        [Fact]
        public async Task WhatIsNotThereIsAskedFor()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var lease = await GrantedAsync(host.CheckInAsync(await JoinAsync(host, "a"), Long, default));
            var submission = TestFactory.Submission(lease) with { Inline = [] };
            Assert.Equal(submission.Report.Delta, Assert.Single(Assert.IsType<BlobsMissing>(await host.SubmitAsync(submission, default)).Blobs));
        }

        [Fact]
        public async Task WhatIsNoUpdateOfThisModelIsNotCounted()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var lease = await GrantedAsync(host.CheckInAsync(await JoinAsync(host, "a"), Long, default));
            var submission = TestFactory.Submission(lease);
            var garbage = submission with { Inline = [submission.Inline[0] with { Bytes = new byte[100] }] };
            Assert.IsType<NotAnUpdate>(await host.SubmitAsync(garbage, default));
            Assert.Equal(1, host.View.Counters.InFlight);
            Assert.IsType<UpdateTaken>(await host.SubmitAsync(submission, default));
        }

        [Fact]
        public async Task NaNIsRejected()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var lease = await GrantedAsync(host.CheckInAsync(await JoinAsync(host, "a"), Long, default));
            var refused = Assert.IsType<UpdateRefused>(await host.SubmitAsync(TestFactory.Submission(lease, value: double.NaN), default));
            Assert.Equal(Rejection.NotFinite, refused.Reason);
        }
    }

    public sealed class Watching : RunHostTests
    {
        [Fact]
        public async Task SeesEveryEventInOrderAndNeverHoldsTheRunUp()
        {
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            using var quick = host.Subscribe(1000);
            using var slow = host.Subscribe(3);
            for (var i = 0; i < 10; i++)
            {
                await JoinAsync(host, $"client-{i}");
            }

            await host.SaveAsync();
            List<RunNotice> seen = [];
            while (quick.Reader.TryRead(out var notice))
            {
                seen.Add(notice);
            }

            Assert.Equal(Enumerable.Range(0, 10).Select(i => $"client-{i}"), seen.Select(n => n.Member));
            Assert.Equal(Enumerable.Range((int)seen[0].Sequence, 10).Select(i => (long)i), seen.Select(n => n.Sequence));
            Assert.Equal(7, slow.Dropped);
            Assert.True(slow.Reader.TryRead(out var oldest));
            Assert.Equal("client-7", oldest.Member);
        }
    }
}

using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

public abstract class RunHostTests : IAsyncDisposable
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

    public async ValueTask DisposeAsync()
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

    public sealed class Deadlines : RunHostTests
    {
        [Fact]
        public async Task EndALeaseOnTheWallClockAndTellItsWatcher()
        {
            Factory = new TestFactory { ClientTimeout = 100 };
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var client = await JoinAsync(host, "a");
            var lease = await GrantedAsync(host.CheckInAsync(client, Long, default));
            Assert.Equal((AssignmentStanding.Open, 100), ((await host.WatchAsync(lease.Id, client, TimeSpan.Zero, default)).State is var open ? (open.Standing, open.SecondsLeft) : default));
            var watch = host.WatchAsync(lease.Id, client, TimeSpan.FromSeconds(300), default);
            await host.SaveAsync();
            time.Advance(101);
            Assert.Equal(AssignmentStanding.Cancelled, (await watch).State.Standing);
            Assert.Equal(1, host.View.Counters.Lost);
            Assert.Equal(AssignmentStanding.Unknown, (await host.WatchAsync(new AssignmentId(7), client, TimeSpan.Zero, default)).State.Standing);
        }

        [Fact]
        public async Task ThatPassedWhileTheCoordinatorWasDownLeaveTimeToComeBack()
        {
            Factory = new TestFactory { ClientTimeout = 100 };
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var lease = await GrantedAsync(host.CheckInAsync(await JoinAsync(host, "a"), Long, default));
            Crash();
            time.Advance(3600);
            var again = await OpenAsync(TestFactory.Buffered(1, 1));
            time.Advance(20);
            Assert.IsType<UpdateTaken>(await again.SubmitAsync(TestFactory.Submission(lease), default));
            Assert.True(again.View.Now >= 3620, $"The run's clock stands at {again.View.Now}.");
        }

        [Fact]
        public async Task DoNotMoveWhenSomebodySetsTheClock()
        {
            Factory = new TestFactory { ClientTimeout = 100 };
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var lease = await GrantedAsync(host.CheckInAsync(await JoinAsync(host, "a"), Long, default));
            time.Jump(TimeSpan.FromDays(1));
            time.Advance(50);
            Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(lease), default));
        }
    }

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
            Assert.Equal(3, others.Count(o => o.IsCompleted && o.Result.Outcome == HostOutcome.Busy));
            go.Set();
            Assert.Equal(5, (await Task.WhenAll(others)).Count(o => o.Outcome == HostOutcome.Done));
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

        [Fact]
        public async Task AConfigurationThatCannotBeRunIsAProblemAndNoException()
        {
            createdAt = time.GetUtcNow();
            var host = await RunHost.OpenAsync(
                new RunEntry("run", createdAt.Value, "nonsense"u8.ToArray(), null), Factory, new FileStore(process), new MemoryBlobs(), time, Options, default);
            hosts.Add(host);
            Assert.Equal(HostState.Failed, host.View.Host);
            Assert.Contains("no test configuration", host.View.Problem, StringComparison.Ordinal);
            Assert.Equal(HostOutcome.Closed, (await host.JoinAsync("a", 1)).Outcome);
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

    public sealed class EvaluatingByClients : RunHostTests
    {
        [Fact]
        public async Task AsksThoseWhoWaitAndKeepsHowTheirScoresSpread()
        {
            Factory = new TestFactory { ClientEvaluation = new FederatedEvaluationOptions { Reports = 2, Seconds = 100 } };
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var (a, b, c) = (await JoinAsync(host, "a"), await JoinAsync(host, "b"), await JoinAsync(host, "c"));
            await GrantedAsync(host.CheckInAsync(a, Long, default));
            var wanted = Assert.IsType<EvaluationWanted>(await host.CheckInAsync(b, Long, default));
            Assert.Equal((0, host.View.Versions[0].Deployed), (wanted.Version, wanted.Model));
            Assert.IsType<EvaluationWanted>(await host.CheckInAsync(c, TimeSpan.Zero, default));
            Assert.IsType<Waiting>(await host.CheckInAsync(b, TimeSpan.Zero, default)); // Asked once.
            await host.ReportAsync(0, new ClientScore(a, 5, 1, 1)); // Nobody asked it.
            await host.ReportAsync(7, new ClientScore(b, 5, 1, 1)); // Nobody asked for this version.
            await host.ReportAsync(0, new ClientScore(b, 30, 0.5, 2));
            Assert.Empty(host.Metrics);
            await host.ReportAsync(0, new ClientScore(c, 10, 0.9, 1));
            var point = Assert.Single(host.Metrics);
            Assert.Equal((0, 0.6, 1.75), (point.Version, Math.Round(point.Accuracy, 12), point.Loss));
            Assert.Equal((2, 0.5, 0.7, 0.9), (point.Spread!.Count, point.Spread.Minimum, point.Spread.Median, point.Spread.Maximum));
            Crash();
            var again = await OpenAsync(TestFactory.Buffered(1, 1));
            Assert.Equal(point, Assert.Single(again.Metrics));
            Assert.Equal([b, c], again.LastScores.Select(s => s.Client));
        }

        [Fact]
        public async Task MakesDoWithTheReportsThereAreWhenTimeIsUp()
        {
            Factory = new TestFactory { ClientEvaluation = new FederatedEvaluationOptions { Reports = 5, Seconds = 100 } };
            var host = await OpenAsync(TestFactory.Synchronous(2));
            var a = await JoinAsync(host, "a");
            Assert.IsType<EvaluationWanted>(await host.CheckInAsync(a, Long, default));
            await host.ReportAsync(0, new ClientScore(a, 10, 0.25, 1));
            time.Advance(101);
            await host.SaveAsync();
            Assert.Equal(0.25, Assert.Single(host.Metrics).Accuracy);
        }

        [Fact]
        public async Task ReachesOutAMomentLongerWhenTheRunEnds()
        {
            Factory = new TestFactory { ClientEvaluation = new FederatedEvaluationOptions { Reports = 1, Seconds = 100 }, Versions = 1 };
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var (a, b) = (await JoinAsync(host, "a"), await JoinAsync(host, "b"));
            var lease = await GrantedAsync(host.CheckInAsync(a, Long, default));
            Assert.IsType<EvaluationWanted>(await host.CheckInAsync(b, Long, default));
            await host.ReportAsync(0, new ClientScore(b, 10, 0.25, 1));
            var waiting = host.CheckInAsync(b, Long, default);
            await host.SubmitAsync(TestFactory.Submission(lease), default);
            Assert.Equal(1, Assert.IsType<EvaluationWanted>(await waiting).Version);
            await host.ReportAsync(1, new ClientScore(b, 10, 0.5, 1));
            Assert.IsType<RunOver>(await host.CheckInAsync(b, Long, default));
            Assert.Equal([0, 1], host.Metrics.Select(m => m.Version));
        }
    }

    public sealed class Evaluating : RunHostTests
    {
        [Fact]
        public async Task GoesOnBesideTheRunAndIsRemembered()
        {
            using var evaluator = new SteppedEvaluator();
            Factory = new TestFactory { Evaluator = evaluator };
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            using var feed = host.Subscribe(100);
            evaluator.Go(1);
            await ArrivalOf(feed, 0);
            var lease = await GrantedAsync(host.CheckInAsync(await JoinAsync(host, "a"), Long, default));
            await host.SubmitAsync(TestFactory.Submission(lease), default);
            Assert.Equal([0], host.Metrics.Select(m => m.Version));
            Crash(); // Version 1 is published, not evaluated.
            var again = await OpenAsync(TestFactory.Buffered(1, 1));
            using var newFeed = again.Subscribe(100);
            evaluator.Go(2);
            await ArrivalOf(newFeed, 1);
            Assert.Equal([(0, 0.0), (1, 0.01)], again.Metrics.Select(m => (m.Version, m.Accuracy)));
            Assert.Equal((1, 0.01), (again.View.BestVersion, again.View.BestAccuracy));
        }

        private static async Task ArrivalOf(RunFeed feed, int version)
        {
            await foreach (var notice in feed.Reader.ReadAllAsync())
            {
                if (notice.Event is EvaluationArrived e && e.Version == version)
                {
                    return;
                }
            }
        }

        private sealed class SteppedEvaluator : IRunEvaluator, IDisposable
        {
            private readonly SemaphoreSlim steps = new(0);

            public void Dispose() => steps.Dispose();

            public void Go(int times) => steps.Release(times);

            public async ValueTask<(double Accuracy, double Loss)> EvaluateAsync(
                int version, BlobReference model, Federated.Coordinator.Storage.IBlobStore blobs, CancellationToken cancellation)
            {
                await steps.WaitAsync(cancellation);
                await using var stream = await blobs.OpenAsync(model, cancellation);
                return (version / 100.0, 1);
            }
        }
    }
}

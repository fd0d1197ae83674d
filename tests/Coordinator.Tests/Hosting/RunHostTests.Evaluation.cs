using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

public abstract partial class RunHostTests
{
    public sealed class EvaluatingByClients : RunHostTests
    {
        private static FederatedEvaluationOptions Reports(int reports) => new() { Reports = reports, Seconds = 100 };

        private static async Task<int> AskedAsync(Task<CheckInResult> checkIn) => Assert.IsType<EvaluationWanted>(await checkIn).Version;

        private static ClientScore Score(ClientId client, double accuracy) => new(client, 10, accuracy, 1);

        [Fact]
        public async Task AsksAClientOnceBeforeItsWorkAndKeepsHowTheScoresSpread()
        {
            Factory = new TestFactory { ClientEvaluation = Reports(2) };
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var (a, b, c) = (await JoinAsync(host, "a"), await JoinAsync(host, "b"), await JoinAsync(host, "c"));
            var wanted = Assert.IsType<EvaluationWanted>(await host.CheckInAsync(b, Long, default));
            Assert.Equal((0, host.View.Versions[0].Deployed), (wanted.Version, wanted.Model));
            Assert.Equal(0, await AskedAsync(host.CheckInAsync(c, TimeSpan.Zero, default)));
            Assert.Equal(b, (await GrantedAsync(host.CheckInAsync(b, Long, default))).Client); // Asked once; its assignment waited for it.
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
        public async Task EvaluatesEveryVersionThoughAllClientsAlwaysHaveWork()
        {
            Factory = new TestFactory { ClientEvaluation = Reports(2), Versions = 4 };
            var host = await OpenAsync(TestFactory.Synchronous(2));
            var clients = new[] { await JoinAsync(host, "a"), await JoinAsync(host, "b") };
            var polls = clients.Select(c => host.CheckInAsync(c, Long, default)).ToArray();
            for (var over = 0; over < 2;)
            {
                var i = Array.IndexOf(polls, await Task.WhenAny(polls));
                switch (await polls[i])
                {
                    case EvaluationWanted wanted:
                        await host.ReportAsync(wanted.Version, Score(clients[i], (wanted.Version + i) / 10.0));
                        polls[i] = host.CheckInAsync(clients[i], Long, default);
                        break;
                    case Granted granted:
                        // The reply to an update brings what comes next: no check-in at which to be asked.
                        var next = Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(granted.Assignment, ready: true), default)).Next!;
                        polls[i] = next is Waiting ? host.CheckInAsync(clients[i], Long, default) : Task.FromResult(next);
                        break;
                    case RunOver:
                        over++;
                        polls[i] = new TaskCompletionSource<CheckInResult>().Task;
                        break;
                }
            }

            Assert.Equal([0, 1, 2, 3, 4], host.Metrics.Select(m => m.Version));
            Assert.All(host.Metrics, m => Assert.Equal((2, m.Version / 10.0, (m.Version + 1) / 10.0), (m.Spread!.Count, m.Spread.Minimum, m.Spread.Maximum)));
        }

        [Fact]
        public async Task AsksAtTheEndForTheLastVersionWhateverStillWaits()
        {
            Factory = new TestFactory { ClientEvaluation = Reports(3), Versions = 3 };
            var host = await OpenAsync(TestFactory.Buffered(2, 1));
            var (a, b) = (await JoinAsync(host, "a"), await JoinAsync(host, "b"));
            Assert.Equal(0, await AskedAsync(host.CheckInAsync(b, TimeSpan.Zero, default)));
            await host.ReportAsync(0, Score(b, 0.25));
            Assert.Equal(0, await AskedAsync(host.CheckInAsync(a, Long, default))); // And its score does not come: version 0 stays open.
            var lease = await GrantedAsync(host.CheckInAsync(b, Long, default));
            for (var version = 1; version < 3; version++)
            {
                lease = Assert.IsType<Granted>(Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(lease, ready: true), default)).Next).Assignment;
            }

            var end = Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(lease, ready: true), default)).Next;
            Assert.Equal(3, Assert.IsType<EvaluationWanted>(end).Version);
            await host.ReportAsync(3, Score(b, 0.5));
            Assert.Equal(3, await AskedAsync(host.CheckInAsync(a, Long, default)));
            await host.ReportAsync(3, Score(a, 0.75));
            Assert.Equal([0, 3], host.Metrics.Select(m => m.Version));
            Assert.Equal([1, 2], host.Metrics.Select(m => m.Spread!.Count));
            Assert.IsType<RunOver>(await host.CheckInAsync(a, Long, default));
        }

        [Fact]
        public async Task IsOverWhenWhoeverCameBackHasNothingToReport()
        {
            Factory = new TestFactory { ClientEvaluation = Reports(2), Versions = 100 };
            var host = await OpenAsync(TestFactory.Buffered(2, 1));
            var (a, b) = (await JoinAsync(host, "a"), await JoinAsync(host, "b"));
            Assert.Equal(0, await AskedAsync(host.CheckInAsync(a, Long, default)));
            Assert.Equal(0, await AskedAsync(host.CheckInAsync(b, Long, default)));
            await host.ReportAsync(0, Score(a, 0.25));
            Assert.Empty(host.Metrics);
            await GrantedAsync(host.CheckInAsync(b, Long, default)); // Without a score: it has no data to evaluate on.
            Assert.Equal(1, Assert.Single(host.Metrics).Spread!.Count);
        }

        [Fact]
        public async Task MakesDoWithTheReportsThereAreWhenTimeIsUp()
        {
            Factory = new TestFactory { ClientEvaluation = Reports(5) };
            var host = await OpenAsync(TestFactory.Synchronous(2));
            var (a, b) = (await JoinAsync(host, "a"), await JoinAsync(host, "b"));
            Assert.Equal(0, await AskedAsync(host.CheckInAsync(a, Long, default)));
            Assert.Equal(0, await AskedAsync(host.CheckInAsync(b, Long, default)));
            await host.ReportAsync(0, Score(a, 0.25));
            time.Advance(99);
            await host.SaveAsync();
            Assert.Empty(host.Metrics);
            time.Advance(2);
            await host.SaveAsync();
            Assert.Equal(0.25, Assert.Single(host.Metrics).Accuracy);
        }

        [Fact]
        public async Task LetsTheOldestWaitingVersionGoBeyondTheBacklog()
        {
            Factory = new TestFactory { ClientEvaluation = Reports(1) };
            Options = Options with { EvaluationBacklog = 2 };
            var host = await OpenAsync(TestFactory.Buffered(2, 1));
            var (a, b) = (await JoinAsync(host, "a"), await JoinAsync(host, "b"));
            Assert.Equal(0, await AskedAsync(host.CheckInAsync(a, Long, default)));
            Assert.Equal(0, await AskedAsync(host.CheckInAsync(b, Long, default))); // And takes its time.
            for (var version = 1; version <= 4; version++)
            {
                await host.SubmitAsync(TestFactory.Submission(await GrantedAsync(host.CheckInAsync(a, Long, default))), default);
            }

            await host.ReportAsync(0, Score(b, 0.5));
            foreach (var version in (int[])[3, 4])
            {
                Assert.Equal(version, await AskedAsync(host.CheckInAsync(b, Long, default)));
                await host.ReportAsync(version, Score(b, 0.5));
            }

            Assert.Equal([0, 3, 4], host.Metrics.Select(m => m.Version));
        }

        [Fact]
        public async Task ReachesOutAMomentLongerWhenTheRunEnds()
        {
            Factory = new TestFactory { ClientEvaluation = Reports(1), Versions = 1 };
            var host = await OpenAsync(TestFactory.Buffered(1, 1));
            var (a, b) = (await JoinAsync(host, "a"), await JoinAsync(host, "b"));
            Assert.Equal(0, await AskedAsync(host.CheckInAsync(b, Long, default)));
            await host.ReportAsync(0, Score(b, 0.25));
            var lease = await GrantedAsync(host.CheckInAsync(b, Long, default));
            var waiting = host.CheckInAsync(a, Long, default);
            await host.SubmitAsync(TestFactory.Submission(lease), default);
            Assert.Equal(1, await AskedAsync(waiting));
            await host.ReportAsync(1, Score(a, 0.5));
            Assert.IsType<RunOver>(await host.CheckInAsync(a, Long, default));
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

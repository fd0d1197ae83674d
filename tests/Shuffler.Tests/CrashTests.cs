using System.Collections.Immutable;
using System.Security.Cryptography;
using Federated.Aggregation.Randomness;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Hosting;
using Federated.Coordinator.Tests.Storage;
using Federated.Privacy.Randomness;
using Federated.Protocol;
using Federated.Protocol.Shuffling;
using Federated.Shuffler.Batches;

namespace Federated.Shuffler.Tests;

/// <summary>
/// Shuffler and coordinator on disks that die at any operation, the shuffler's also with syncs that fail, with messages lost, repeated and delayed between them: every report that was
/// answered for counts exactly once or was erased and said so, no batch counts twice or below its minimum, and the same bytes leave every time.
/// </summary>
public sealed class CrashTests
{
    private const int Cohort = 4, Versions = 3;

    [Fact]
    public async Task WhateverTheOperationAtWhichEitherDiesEveryReportCountsOnce()
    {
        var undisturbed = await new World(0, -1, -1, 0).PlayAsync();
        Assert.Equal((0, Versions), (undisturbed.Deaths, undisturbed.Version));
        var deaths = 0;
        for (var operation = 0; operation < undisturbed.ShufflerOperations; operation++)
        {
            deaths += (await new World((ulong)operation, operation, -1, 0).PlayAsync()).Deaths;
        }

        for (var operation = 0; operation < undisturbed.CoordinatorOperations; operation++)
        {
            deaths += (await new World((ulong)operation, -1, operation, 0).PlayAsync()).Deaths;
        }

        Assert.InRange(deaths, undisturbed.ShufflerOperations + undisturbed.CoordinatorOperations - 2, int.MaxValue);
    }

    [Fact]
    public async Task OverManySchedulesOfDeathsLossesAndRepetitions()
    {
        var (deaths, repeats, dropped, failedSyncs) = (0, 0, 0, 0);
        for (var seed = 1UL; seed <= 150; seed++)
        {
            var world = await new World(seed, 40, 60, 0.2).PlayAsync();
            (deaths, repeats, dropped, failedSyncs) = (deaths + world.Deaths, repeats + world.Repeats, dropped + world.Dropped, failedSyncs + world.FailedSyncs);
        }

        Assert.InRange(deaths, 300, int.MaxValue);
        Assert.InRange(repeats, 300, int.MaxValue);
        Assert.InRange(dropped, 5, int.MaxValue);
        Assert.InRange(failedSyncs, 100, int.MaxValue);
    }

    /// <param name="shufflerDies">The operation of its disk at which the shuffler dies; with losses, about how often it dies.</param>
    /// <param name="coordinatorDies">So the coordinator.</param>
    /// <param name="losses">The chance that a message or its answer is lost; above 0, deaths repeat.</param>
    private sealed class World(ulong seed, int shufflerDies, int coordinatorDies, double losses)
    {
        private readonly SeededRandom chance = SeededRandom.Derive(seed, "chance");
        private readonly FaultyFileSystem shufflerDisk = new(SeededRandom.DeriveSeed(seed, "shuffler")) { CrashIn = losses > 0 ? -1 : shufflerDies };
        private readonly FaultyFileSystem coordinatorDisk = new(SeededRandom.DeriveSeed(seed, "coordinator")) { CrashIn = losses > 0 ? -1 : coordinatorDies };
        private readonly ManualTime time = new();
        private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private readonly SimulationRandom random = new(seed);
        private readonly TestFactory factory = new() { Versions = Versions };
        private readonly Dictionary<string, byte[]> bodies = [];
        private readonly Dictionary<long, Assignment> held = [];
        private readonly HashSet<long> counted = [];
        private readonly HashSet<long> erased = [];
        private BatchBook? book;
        private DurableRun? run;

        public int Deaths { get; private set; }

        public int Repeats { get; private set; }

        public int FailedSyncs { get; private set; }

        public int Dropped { get; private set; }

        public int Version => run!.Machine.Version;

        public int ShufflerOperations => (int)shufflerDisk.Operations;

        public int CoordinatorOperations => (int)coordinatorDisk.Operations;

        public async Task<World> PlayAsync()
        {
            await CoordinatorAsync(r => PostAsync(r, new RunStarted(0)));
            for (var i = 0; i < Cohort; i++)
            {
                await CoordinatorAsync(r => PostAsync(r, new ClientJoined(0, new ClientId(i), 10)));
            }

            for (var step = 0; run!.Machine.Status != RunStatus.Finished; step++)
            {
                Assert.True(step < 500, "The run does not get on.");
                for (var i = 0; i < Cohort; i++)
                {
                    await CoordinatorAsync(r => PostAsync(r, new CheckIn(step, new ClientId(i))));
                }

                foreach (var lease in run.Machine.Assignments.OrderBy(a => a.Id).ToList())
                {
                    if (losses == 0 || chance.NextDouble() < 0.8)
                    {
                        await ReportAsync(lease);
                    }
                }

                if (losses > 0 && chance.NextDouble() < 0.3)
                {
                    time.Advance(61); // The window ends.
                    await ShufflerAsync(b =>
                    {
                        b.EndWindows();
                        return 0;
                    });
                }

                await DeliverAsync();
            }

            await DeliverAsync();
            AssertExactlyOnce();
            return this;
        }

        /// <summary>A client that repeats until it is answered, and sometimes after.</summary>
        private async Task ReportAsync(Assignment lease)
        {
            var report = ReportOf(lease);
            for (var again = 0; again < 2; again++)
            {
                while (Lost())
                {
                    Repeats++;
                }

                var outcome = await ShufflerAsync(b => b.Take([report])[0]);
                Assert.Equal(ReportOutcome.Held, outcome);
                held[lease.Id.Value] = lease;
                if (!Lost())
                {
                    break;
                }

                Repeats++;
            }
        }

        private async Task DeliverAsync()
        {
            for (; ;)
            {
                var outbox = await ShufflerAsync(b => b.Outbox);
                if (outbox.Count == 0)
                {
                    return;
                }

                foreach (var batch in outbox)
                {
                    using var stream = new MemoryStream();
                    await batch.WriteAsync(stream, default);
                    var body = stream.ToArray();
                    Assert.True(bodies.TryAdd(batch.Id, body) || body.AsSpan().SequenceEqual(bodies[batch.Id]), $"Batch {batch.Id} left twice, with other bytes.");
                    if (Lost())
                    {
                        Repeats++;
                        continue;
                    }

                    await ReceiveAsync(body);
                    if (Lost())
                    {
                        Repeats++;
                        continue;
                    }

                    await ShufflerAsync(b =>
                    {
                        b.Finish(batch.Id);
                        return 0;
                    });
                }
            }
        }

        /// <summary>What a coordinator does with a batch: one group.</summary>
        private async Task ReceiveAsync(byte[] body)
        {
            var length = BitConverter.ToInt32(body);
            var header = BatchHeader.TryDecode(body.AsSpan(4, length))!;
            var now = run!.Machine.Now;
            if (header.Dropped)
            {
                Dropped++;
                foreach (var (assignment, client) in header.Assignments.Zip(header.Clients))
                {
                    await CoordinatorAsync(r => PostAsync(r, new AssignmentFailed(now, new AssignmentId(assignment), new ClientId(client), "the batch was too small")));
                    erased.Add(assignment);
                }

                return;
            }

            Assert.Equal(Cohort, header.Reports);
            List<UpdateArrived> members = [];
            List<InlineBlob> inline = [];
            for (var i = 0; i < header.Reports; i++)
            {
                var told = body[4 + length + (i * header.ReportBytes)]; // Whose it was; only a test can know.
                var (reference, bytes) = TestFactory.OneHot(new AssignmentId(told));
                inline.Add(new InlineBlob(reference, bytes));
                members.Add(new UpdateArrived(
                    now, new AssignmentId(header.Assignments[i]), new ClientId(header.Clients[i]), new UpdateReport { Examples = 0, LocalSteps = 1, Delta = reference }, false));
            }

            await CoordinatorAsync(async r =>
            {
                var effects = (await r.PostAsync([new LoggedEvent(new GroupArrived(now, header.Id, [.. members]), "", inline)], default))[0];
                await PassDeadlinesAsync(r, effects);
                var settled = effects.OfType<GroupSettled>().Single();
                var taken = settled.Members.Count(m => m.Refused is null);
                counted.UnionWith(settled.Members.Where(m => m.Refused is null).Select(m => m.Assignment.Value));
                return taken;
            });
        }

        private void AssertExactlyOnce()
        {
            // Each version is made of whole batches, each report of which is there once: one-hot updates show what is lost or counted twice.
            var expected = new double[TestFactory.Parameters];
            foreach (var assignment in counted)
            {
                expected[assignment % TestFactory.Parameters]++;
            }

            Assert.Equal(expected, factory.Last!.State.Current.Parameters);
            Assert.Equal(run!.Machine.Counters.Accumulated, counted.Count);
            Assert.Empty(counted.Intersect(erased));
            Assert.Equal(Versions, run.Machine.Version);
            Assert.True(run.Machine.Counters.Balances, run.Machine.Counters.ToString());
        }

        private bool Lost() => losses > 0 && chance.NextDouble() < losses;

        private HeldReport ReportOf(Assignment lease) => Bench.Report(new ShuffleTicket(
            "run", $"v{lease.BaseVersion}", Cohort, Cohort, 60, Bench.ReportBytes, 0, 1, lease.Id.Value, lease.Client.Value, time.GetUtcNow().ToUnixTimeSeconds() + 100_000), (byte)lease.Id.Value);

        private async Task<T> ShufflerAsync<T>(Func<BatchBook, T> ask)
        {
            while (true)
            {
                try
                {
                    if (book is null)
                    {
                        Arm(shufflerDisk, shufflerDies);
                        book = BatchBook.Open(new FaultyDisk(shufflerDisk), key, new BatchRules(Cohort), time, random);
                    }

                    return ask(book);
                }
                catch (CrashException)
                {
                    await Task.CompletedTask;
                    (Deaths, book) = (Deaths + 1, null);
                    shufflerDisk.Restart();
                }
                catch (IOException)
                {
                    book = null; // The process goes on; what it wrote and can read may not be on the disk.
                    FailedSyncs++;
                }
            }
        }

        private Task<int> CoordinatorAsync(Func<DurableRun, Task> ask) => CoordinatorAsync(async r =>
        {
            await ask(r);
            return 0;
        });

        private async Task<T> CoordinatorAsync<T>(Func<DurableRun, Task<T>> ask)
        {
            while (true)
            {
                try
                {
                    if (run is null)
                    {
                        Arm(coordinatorDisk, coordinatorDies);
                        var store = new FileBlobStore(coordinatorDisk, "blobs");
                        run = await DurableRun.OpenAsync(
                            factory.Create(TestFactory.Synchronous(Cohort), store), new FileRunLog(coordinatorDisk, "run"), store, new MemoryBlobs(), new DurabilityOptions { ReplayBytes = 4096 }, default);
                    }

                    await PassDeadlinesAsync(run, run.Recovered);
                    return await ask(run);
                }
                catch (Exception e) when (e is CrashException || e.InnerException is CrashException)
                {
                    (Deaths, run) = (Deaths + 1, null);
                    coordinatorDisk.Restart();
                }
            }
        }

        private void Arm(FaultyFileSystem disk, int every)
        {
            if (losses > 0)
            {
                disk.CrashIn = 5 + chance.NextInt(2 * every);
                disk.FailSyncIn = disk == shufflerDisk ? chance.NextInt(every / 2) : -1;
            }
        }

        private static async Task PostAsync(DurableRun run, RunEvent e) => await PassDeadlinesAsync(run, (await run.PostAsync([new LoggedEvent(e)], default))[0]);

        private static async Task PassDeadlinesAsync(DurableRun run, IReadOnlyList<RunEffect> effects)
        {
            foreach (var arm in effects.OfType<ArmDeadline>().Where(arm => arm.Time <= run.Machine.Now && run.Machine.Matters(arm.Deadline)).ToList())
            {
                await run.PostAsync([new LoggedEvent(new DeadlinePassed(arm.Time, arm.Deadline))], default);
            }
        }
    }
}

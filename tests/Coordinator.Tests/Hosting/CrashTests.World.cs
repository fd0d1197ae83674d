using System.Security.Cryptography;
using Federated.Aggregation.Anarchic;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Parameters;
using Federated.Aggregation.Randomness;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Models;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

/// <content>The world that is killed, and the parts of its runs.</content>
public sealed partial class CrashTests
{
    /// <summary>A coordinator on a disk that fails, and clients that repeat what was not answered.</summary>
    private sealed class World(string scheduler, ulong seed, int crashEvery, ulong disturbance = 0, PrivacyOptions? privacy = null)
    {
        private static readonly ParameterLayout Layout = ParameterLayout.Of(("w", [Parameters]));

        private readonly FaultyFileSystem disk = new(SeededRandom.DeriveSeed(seed, "disk", (long)disturbance));
        private readonly SeededRandom crashes = SeededRandom.Derive(seed, "crashes", (long)disturbance);
        private readonly SeededRandom random = SeededRandom.Derive(seed, "clients");
        private readonly Dictionary<ClientId, Assignment> leases = [];
        private readonly SortedDictionary<(double Time, long Order), Deadline> deadlines = [];
        private readonly SortedDictionary<int, List<(long Update, int BaseVersion)>> made = [];
        private long order;
        private DurableRun? run;
        private BlobModel<double>? model;
        private FileBlobStore? blobs;
        private readonly Dictionary<int, int> charged = [];
        private bool wasOpen;

        /// <summary>Of the coordinator that lives; null in a run without.</summary>
        public PrivateRelease<double>? Privacy { get; private set; }

        /// <summary>The ledger's section of the coordinator that lives; null in a run without.</summary>
        public PrivacySection<double>? Ledger { get; private set; }

        /// <summary>Times that a ledger was compared, after a crash, with what clients had been charged when they were answered.</summary>
        public int LedgersCompared { get; private set; }

        public int Crashes { get; private set; }

        public int Version => run!.Machine.Version;

        public double[] Model => model!.State.Current.Parameters;

        public long Accumulated => run!.Machine.Counters.Accumulated - run.Machine.OpenAggregate.Count;

        /// <summary>Accepted updates that are in no version yet.</summary>
        public int Unpublished => run!.Machine.Unpublished.Count();

        /// <summary>Which updates each version was made of.</summary>
        public IReadOnlyDictionary<int, List<(long Update, int BaseVersion)>> Made => made;

        /// <summary>What clients were told of their updates, in order.</summary>
        public List<string> Acknowledged { get; } = [];

        public async Task PlayAsync()
        {
            await InsistAsync(() => PostAsync(new RunStarted(0)));
            for (var i = 0; i < Clients; i++)
            {
                var client = new ClientId(i);
                await InsistAsync(() => PostAsync(new ClientJoined(0, client, 10)));
            }

            for (var step = 1; step <= Steps; step++)
            {
                var now = (double)step;
                while (deadlines.Count > 0 && deadlines.First() is var due && due.Key.Time <= now)
                {
                    await InsistAsync(() => PostAsync(new DeadlinePassed(due.Key.Time, due.Value)));
                    deadlines.Remove(due.Key);
                }

                var client = new ClientId(random.NextInt(Clients));
                var fails = random.NextDouble() < 0.1;
                var ready = random.NextDouble() < 0.7;
                if (!leases.TryGetValue(client, out var lease))
                {
                    await InsistAsync(() => PostAsync(new CheckIn(now, client)));
                }
                else if (fails)
                {
                    await InsistAsync(() => PostAsync(new AssignmentFailed(now, lease.Id, client, "battery")));
                    Forget(lease);
                }
                else
                {
                    await InsistAsync(() => UploadAsync(now, lease, ready));
                    Forget(lease);
                }

                if (step % 20 == 0)
                {
                    await InsistAsync(async () => await blobs!.SweepAsync(() => ValueTask.FromResult(run!.ReferencedBlobs()), default));
                }
            }
        }

        /// <summary>The client is done with this lease; it may have been given the next one already.</summary>
        private void Forget(Assignment lease)
        {
            if (leases.TryGetValue(lease.Client, out var held) && held.Id == lease.Id)
            {
                leases.Remove(lease.Client);
            }
        }

        private async Task UploadAsync(double now, Assignment lease, bool ready)
        {
            var delta = new double[Parameters];
            delta[lease.Id.Value] = 1;
            using var bytes = new MemoryStream();
            new SafetensorsWriter().Add<double>(Layout, delta, ElementType.F64).WriteTo(bytes);
            var reference = new BlobReference(Convert.ToHexStringLower(SHA256.HashData(bytes.ToArray())), bytes.Length);
            InlineBlob[] inline = [];
            if (lease.Id.Value % 2 == 0)
            {
                inline = [new InlineBlob(reference, bytes.ToArray())];
            }
            else
            {
                await using var blob = await blobs!.CreateAsync(default);
                await blob.WriteAsync(bytes.ToArray(), default);
                await blob.CommitAsync(reference, default);
            }

            var report = new UpdateReport { Examples = 10, LocalSteps = 5, Delta = reference };
            var effects = await PostAsync(new UpdateArrived(now, lease.Id, lease.Client, report, ready), inline);

            // A repeated upload is answered "accepted before": to the client that is the same as accepted.
            var accepted = effects.Any(e => e is Accepted a && a.Assignment.Id == lease.Id)
                || effects.Any(e => e is Rejected { Reason: Rejection.Duplicate } r && r.Id == lease.Id);
            Acknowledged.Add($"{lease.Id} {(accepted ? "accepted" : "rejected")}");
        }

        private async Task<IReadOnlyList<RunEffect>> PostAsync(RunEvent e, params InlineBlob[] inline)
        {
            var effects = (await run!.PostAsync([new LoggedEvent(e, "", inline)], default))[0];
            Deliver(effects);
            for (var client = 0; client < Clients && Ledger is not null; client++)
            {
                charged[client] = Privacy!.Policy.ChargeOf(new ClientId(client).Value)?.Count ?? 0; // What has been answered must stay charged.
            }

            return effects;
        }

        private void Deliver(IReadOnlyList<RunEffect> effects)
        {
            foreach (var effect in effects)
            {
                switch (effect)
                {
                    case Dispatch dispatch:
                        leases[dispatch.Assignment.Client] = dispatch.Assignment;
                        break;
                    case ArmDeadline arm:
                        deadlines[(arm.Time, order++)] = arm.Deadline;
                        break;
                    case Lost lost:
                        Forget(lost.Assignment);
                        break;
                    case Rejected { Assignment: { } assignment }:
                        Forget(assignment);
                        break;
                }
            }
        }

        /// <summary>Does it until it is answered, restarting the coordinator as often as it dies.</summary>
        private async Task InsistAsync(Func<Task> request)
        {
            while (true)
            {
                try
                {
                    if (run is null)
                    {
                        await StartAsync();
                    }

                    await request();
                    return;
                }
                catch (Exception e) when (e is CrashException || e.InnerException is CrashException)
                {
                    Crashes++;
                    run = null;
                    disk.Restart();
                }
            }
        }

        private async Task StartAsync()
        {
            // What repeating the log writes again must fit between two crashes, or there would be no getting on.
            var between = scheduler == RememberingClients ? 6 * crashEvery : 2 * crashEvery;
            disk.CrashIn = crashEvery > 0 ? 1 + crashes.NextInt(between) : -1;
            blobs = new FileBlobStore(disk, "blobs");
            Privacy = privacy is null ? null : NewPrivacy(privacy);
            var memory = scheduler == RememberingClients ? new StoredClientMemory<double>(blobs, Parameters, capacity: 2) : null;
            model = new BlobModel<double>(Layout, () => NewModel(memory), ElementType.F64);
            var durability = new DurabilityOptions { ReplayBytes = 1 << (10 + crashes.NextInt(8)), ReplaySeconds = 20, InlineBytes = crashes.NextInt(2) * 65536 };
            var options = new RunOptions { Seed = seed, EvaluateEvery = 0, ClientTimeout = 60, Stop = new StopOptions { Versions = 10_000 } };
            var limiter = Privacy is null ? null : new ParticipationLimiter(Privacy.Policy.Limits, Clients, Privacy.Facts.LeastUpdatesPerRelease, 1);
            Ledger = Privacy is null ? null : new PrivacySection<double>(Privacy);
            IReadOnlyList<IRunSection> sections = Ledger is not null ? [Ledger] : memory is not null ? [memory] : [];
            var parts = TestParts.Of(new RunMachine(options, NewScheduler(), limiter), new Witness(model, made), Layout) with { Sections = sections };
            var opened = await DurableRun.OpenAsync(
                parts, new FileRunLog(disk, "run"), blobs, new MemoryBlobs(), durability, default);
            deadlines.Clear();
            Deliver(opened.Recovered);

            // Leases that clients never heard of are told again; those they hold stay.
            foreach (var assignment in opened.Machine.Assignments.OrderBy(a => a.Id))
            {
                leases[assignment.Client] = assignment;
            }

            run = opened;
            wasOpen = true;
            CompareLedger();
        }

        /// <summary>A crash refunds nobody: at this very moment, not only at the end.</summary>
        private void CompareLedger()
        {
            // Where participations are counted afresh with every tree, a replay may have begun the next one.
            if (Privacy is null || charged.Count == 0 || Privacy.Policy.Limits.RestartEvery > 0)
            {
                return;
            }

            LedgersCompared++;
            foreach (var (client, times) in charged)
            {
                var now = Privacy.Policy.ChargeOf(client)?.Count ?? 0;
                Assert.True(now >= times, $"Client {client} had been charged {times} times; after a crash the ledger says {now}.");
            }
        }

        /// <summary>The first coordinator draws the key; those after it draw others, which must not be used.</summary>
        private PrivateRelease<double> NewPrivacy(PrivacyOptions options)
        {
            var facts = new RunFacts { Dimension = Parameters, Clients = Clients, UpdatesPerRelease = 3, LeastUpdatesPerRelease = scheduler == Schedulers.Buffered ? 3 : 1 };
            return new PrivateRelease<double>(options, facts, new ReleaseRandom(wasOpen ? ReleaseRandom.NewKey() : new byte[ReleaseRandom.KeyBytes]));
        }

        private IScheduler NewScheduler()
        {
            var steps = new FixedWork(LocalWork.OfSteps(5));
            return scheduler switch
            {
                Schedulers.Synchronous => new SynchronousScheduler(new SynchronousOptions { Cohort = 3, RoundDeadline = 30, MinimumReports = 1 }, steps, UpdateWeight.Equal),
                Schedulers.Buffered => new BufferedScheduler(new BufferedOptions { Concurrency = 4, AggregationGoal = 3 }, steps, UpdateWeight.Equal),
                Schedulers.Immediate => new ImmediateScheduler(new ImmediateOptions { Concurrency = 4, Mixing = 1 }, steps, UpdateWeight.Equal),
                Schedulers.Compass => new CompassScheduler(
                    new CompassOptions { MinSteps = 2, MaxSteps = 8, Mixing = 1, DeltaAgainst = DeltaBasis.BaseVersion }, new ShareFree()),
                Schedulers.FixedWindow => new FixedWindowScheduler(new FixedWindowOptions { Window = 7 }, steps, UpdateWeight.Equal),
                _ => new AnarchicScheduler(new AnarchicOptions { AggregationGoal = 2 }, UpdateWeight.Equal),
            };
        }

        private ModelState<double> NewModel(StoredClientMemory<double>? memory) => new(
            new double[Parameters],
            memory is null
                ? new WeightedMean<double>(Parameters, new WeightedMeanOptions { Normalisation = Normalisation.None })
                : new AnarchicMemory<double>(Parameters, null, memory),
            new SumOptimizer(),
            privacy: Privacy);
    }

    /// <summary>Makes FedCompass's p_i·s(τ) exactly 1, so that one-hot sums stay whole numbers: N times the share.</summary>
    private sealed class ShareFree : IUpdateWeight
    {
        public double Weight(ISchedulingContext run, Assignment assignment, UpdateReport report, int staleness) => 1;

        public double Importance(double examples) => 1;

        public double Staleness(int staleness) => Clients;
    }
}

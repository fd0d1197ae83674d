using System.Security.Cryptography;
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
using Federated.Privacy.Central;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

/// <summary>One schedule: a coordinator whose machine dies, and clients on a bad network.</summary>
internal sealed partial class FaultWorld : IRunFactory
{
    /// <summary>A synchronous run in which every client takes part in every round: its model is a function of the configuration alone.</summary>
    public const string WholeCohort = "synchronous, whole cohort";

    /// <summary>A buffered run with central noise: its ledger must hold every update that is in a release, once.</summary>
    public const string UnderAPolicy = "buffered, under a policy";

    private const int Clients = 5, WholeVersions = 8, OneHots = 400, Reals = 8;

    private static readonly ParameterLayout Layout = ParameterLayout.Of(("w", [OneHots + Reals]));

    private readonly string scheduler;
    private readonly bool isCalm;
    private readonly SeededRandom random;
    private readonly FaultyFileSystem disk;
    private readonly ManualTime time = new();
    private readonly DateTimeOffset createdAt;
    private readonly SortedDictionary<int, List<(long Update, int BaseVersion)>> made = [];
    private readonly Dictionary<int, VersionBlobs> seen = [];
    private readonly HashSet<long> accepted = [];
    private readonly HashSet<long> refused = [];
    private readonly Assignment?[] leases = new Assignment?[Clients];
    private readonly List<UpdateSubmission> sent = [];
    private readonly SemaphoreSlim recovering = new(1, 1);
    private MortalFileSystem process;
    private FileStore store;
    private RunHost? host;
    private BlobModel<double>? model;
    private PrivateRelease<double>? privacy;
    private bool isOver;
    private volatile string doing = "beginning";

    public FaultWorld(string scheduler, ulong seed, bool isCalm)
    {
        (this.scheduler, this.isCalm) = (scheduler, isCalm);
        random = SeededRandom.Derive(seed, "schedule");
        disk = new FaultyFileSystem(SeededRandom.DeriveSeed(seed, "disk"));
        createdAt = time.GetUtcNow();
        process = new MortalFileSystem(disk);
        store = new FileStore(process);
        Seed = seed;
    }

    public FaultCounts Counts { get; } = new();

    /// <summary>For the message of a schedule that stands still.</summary>
    public string Where => $"{doing}; host {host?.View.Host} ({host?.View.Problem}) at version {host?.View.Version}, mailbox {host?.View.MailboxDepth}; {(disk.IsDown ? "disk down" : "disk up")}, {Counts}";

    private ulong Seed { get; }

    /// <summary>Plays the schedule to its end and checks what must hold of any.</summary>
    /// <returns>The final model.</returns>
    public async Task<double[]> PlayAsync()
    {
        for (var i = 0; i < Clients; i++)
        {
            var name = $"client-{i}";
            while ((await AskAsync(h => h.JoinAsync(name, 10))).Outcome != HostOutcome.Done)
            {
            }
        }

        for (var step = 0; step < 3000 && !isOver; step++)
        {
            await DisturbAsync();
            await (random.NextDouble() < 0.3 ? BurstAsync() : ActAsync(random.NextInt(Clients)));
            if (scheduler != WholeCohort && made.Count >= 12)
            {
                break;
            }
        }

        Assert.True(isOver || scheduler != WholeCohort, $"Schedule {Seed} did not come to its end.");
        isOver = true; // From here on nothing goes wrong any more.
        disk.CrashIn = -1;
        disk.Capacity = long.MaxValue;
        disk.BeforeSync = null;
        await CheckAsync();
        var (final, version) = (model!.State.Current.Parameters.ToArray(), host!.View.Version);
        await host!.DisposeAsync();
        await CrashAsync(); // And once more from what the disk remembers.
        await OpenAsync();
        await SettleAsync();
        if (host!.View.Version == version) // Else a deadline passed that published the next.
        {
            Assert.True(final.AsSpan().SequenceEqual(model!.State.Current.Parameters), $"Schedule {Seed}: the model is another one after reopening.");
        }

        await CheckAsync();
        await host!.DisposeAsync();
        return final;
    }

    RunParts IRunFactory.Create(ReadOnlyMemory<byte> configuration, IBlobStore blobs)
    {
        var ledger = privacy = scheduler == UnderAPolicy ? NewPrivacy() : null; // With a new key each time: only the one of the snapshot may be used.
        model = new BlobModel<double>(
            Layout,
            () => new ModelState<double>(
                new double[Layout.Count], new WeightedMean<double>(Layout.Count, new WeightedMeanOptions { Normalisation = Normalisation.None }), new SumOptimizer(), privacy: ledger),
            ElementType.F64);
        var options = new RunOptions
        {
            Seed = 7,
            EvaluateEvery = 0,
            ClientTimeout = scheduler == WholeCohort ? 0 : 40,
            Stop = new StopOptions { Versions = scheduler == WholeCohort ? WholeVersions : 10_000 },
        };
        var limiter = ledger is null ? null : new ParticipationLimiter(ledger.Policy.Limits, Clients, ledger.Facts.LeastUpdatesPerRelease, 1);
        return TestParts.Of(new RunMachine(options, NewScheduler(), limiter), new Witness(model, made), Layout) with
        {
            Sections = ledger is null ? [] : [new PrivacySection<double>(ledger)],
        };
    }

    private static PrivateRelease<double> NewPrivacy() => new(
        new CentralPrivacyOptions { Mechanism = new DpFedAvgOptions { ClipNorm = 10, NoiseMultiplier = 1 }, MaxParticipations = 60 },
        new RunFacts { Dimension = Layout.Count, Clients = Clients, UpdatesPerRelease = 3, LeastUpdatesPerRelease = 3 },
        new ReleaseRandom(ReleaseRandom.NewKey()));

    private IScheduler NewScheduler()
    {
        var steps = new FixedWork(LocalWork.OfSteps(5));
        return scheduler switch
        {
            WholeCohort => new SynchronousScheduler(new SynchronousOptions { Cohort = Clients }, steps, UpdateWeight.Equal),
            Schedulers.Synchronous => new SynchronousScheduler(new SynchronousOptions { Cohort = 3, RoundDeadline = 30, MinimumReports = 1 }, steps, UpdateWeight.Equal),
            Schedulers.Buffered or UnderAPolicy => new BufferedScheduler(new BufferedOptions { Concurrency = 4, AggregationGoal = 3 }, steps, UpdateWeight.Equal),
            Schedulers.Immediate => new ImmediateScheduler(new ImmediateOptions { Concurrency = 4, Mixing = 1 }, steps, UpdateWeight.Equal),
            Schedulers.Compass => new CompassScheduler(
                new CompassOptions { MinSteps = 2, MaxSteps = 8, Mixing = 1, DeltaAgainst = DeltaBasis.BaseVersion }, new ShareFree()),
            Schedulers.FixedWindow => new FixedWindowScheduler(new FixedWindowOptions { Window = 7 }, steps, UpdateWeight.Equal),
            _ => new AnarchicScheduler(new AnarchicOptions { AggregationGoal = 2 }, UpdateWeight.Equal),
        };
    }

    private async Task ActAsync(int client)
    {
        if (!isCalm && random.NextDouble() < 0.03)
        {
            leases[client] = null; // It restarted and forgot; the next check-in tells it again.
            Counts.ForgetfulClients++;
        }

        if (!isCalm && sent.Count > 0 && random.NextDouble() < 0.1)
        {
            Counts.Repeated++;
            await SubmitAsync(sent[random.NextInt(sent.Count)], isOld: true); // A packet that was long under way.
            return;
        }

        if (leases[client] is not { } lease)
        {
            var answer = await AskAsync(h => h.CheckInAsync(new ClientId(client), TimeSpan.Zero, default));
            if (isCalm || random.NextDouble() > 0.1)
            {
                Take(client, answer);
            }
            else
            {
                Counts.Unanswered++;
            }
        }
        else if (scheduler != WholeCohort && random.NextDouble() < 0.08)
        {
            if ((await AskAsync(h => h.FailAsync(lease.Id, lease.Client, "battery"))).Outcome == HostOutcome.Done)
            {
                leases[client] = null;
            }
        }
        else
        {
            await SubmitAsync(Update(lease));
        }
    }

    /// <summary>Several requests that lie in the mailbox at once, some of them twice, in any order: one group for one sync.</summary>
    private async Task BurstAsync()
    {
        if (host is not { View.Host: HostState.Open })
        {
            await ActAsync(random.NextInt(Clients));
            return;
        }

        using var go = new ManualResetEventSlim();
        var held = host.AskAsync(_ =>
        {
            go.Wait();
            return "";
        });
        List<Task> requests = [];
        for (var i = 2 + random.NextInt(4); i > 0; i--)
        {
            var client = random.NextInt(Clients);
            if (leases[client] is { } lease)
            {
                var update = Update(lease);
                requests.Add(SubmitAsync(update));
                if (random.NextInt(3) == 0)
                {
                    requests.Add(SubmitAsync(update));
                    Counts.Repeated++;
                }
            }
            else
            {
                requests.Add(CheckInAsync(client));
            }

            Counts.Reordered++;
        }

        doing = $"burst of {requests.Count}";
        go.Set();
        await held;
        doing = $"burst of {requests.Count}, let go";
        await Task.WhenAll(requests);
        await SettleAsync();

        async Task CheckInAsync(int client) => Take(client, await AskAsync(h => h.CheckInAsync(new ClientId(client), TimeSpan.Zero, default), settle: false));
    }

    private async Task CheckAsync()
    {
        await AskAsync(_ => Task.FromResult(0));
        var pending = (await host!.AskAsync(run => run.Machine.Unpublished.Select(u => u.Assignment.Id.Value).ToList()))!;
        var view = host.View;
        view.Counters.Check();
        var published = Enumerable.Range(1, view.Version).SelectMany(v => made[v]).Select(u => u.Update).ToList();
        var counted = published.Concat(pending).ToList();
        Assert.Equal(counted.Count, counted.Distinct().Count()); // Nobody twice.
        Assert.Superset(accepted, counted.ToHashSet()); // All that were told so.
        Assert.Empty(counted.Intersect(refused)); // Nobody who was told otherwise.
        Assert.Equal(view.Counters.Accepted, counted.Count);
        foreach (var (version, blobs) in view.Versions)
        {
            if (seen.TryGetValue(version, out var before))
            {
                Assert.Equal(before.Model, blobs.Model);
            }
        }

        var parameters = model!.State.Current.Parameters;
        if (privacy is not null)
        {
            var (charged, open) = (await host.AskAsync(run => Tuple.Create(privacy.Policy.Charges.Values.Sum(c => c.Count), run.Machine.OpenAggregate.Count)))!;
            Assert.Equal(published.Count + open, charged); // No charge is lost, and none is there twice.
            Assert.True(view.Version == 0 || view.Spent!.Epsilon > 0, "Versions were published and nothing was spent.");
            Counts.Charged = charged;
        }
        else if (scheduler == WholeCohort)
        {
            Assert.All(parameters[..(WholeVersions * Clients)], value => Assert.Equal(1, value));
        }
        else if (scheduler != Schedulers.Immediate)
        {
            Assert.All(parameters, value => Assert.True(value is 0 or 1, $"A coordinate is {value}: an update was counted more than once."));
            Assert.Equal(published.Count, parameters.Sum());
        }

        Counts.Accepted = view.Counters.Accepted;
        Counts.Versions = view.Version;
    }

    /// <summary>Makes FedCompass's p_i·s(τ) exactly 1, so that one-hot sums stay whole numbers: N times the share.</summary>
    private sealed class ShareFree : IUpdateWeight
    {
        public double Weight(ISchedulingContext run, Assignment assignment, UpdateReport report, int staleness) => 1;

        public double Importance(double examples) => 1;

        public double Staleness(int staleness) => Clients;
    }
}

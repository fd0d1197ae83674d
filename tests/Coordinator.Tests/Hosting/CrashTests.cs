using Federated.Coordinator.Scheduling;
using Federated.Privacy.Central;
using Federated.Privacy.Clipping;
using Federated.Privacy.Pipeline;
using Xunit.Abstractions;

namespace Federated.Coordinator.Tests.Hosting;

/// <summary>
/// Kills the coordinator between any two file operations, with torn, garbled and lost writes, and compares the run that survived it with
/// an undisturbed one. Updates are one-hot: assignment i adds 1 at coordinate i, so that every update counted twice or lost shows.
/// </summary>
public sealed partial class CrashTests(ITestOutputHelper output)
{
    private const int Parameters = 160, Clients = 5, Steps = 150;

    /// <summary>The anarchic scheduler over AFA-CS, whose memory of clients stands in the blob store.</summary>
    private const string RememberingClients = "anarchic, afa-cs";

    public static TheoryData<string, ulong> Schedules()
    {
        var data = new TheoryData<string, ulong>();
        foreach (var scheduler in (string[])[Schedulers.Synchronous, Schedulers.Buffered, Schedulers.Immediate, Schedulers.Compass, Schedulers.FixedWindow, Schedulers.Anarchic, RememberingClients])
        {
            data.Add(scheduler, 1);
            data.Add(scheduler, 2);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Schedules))]
    public async Task ARunThatIsKilledAtRandomEndsAsTheUndisturbedOne(string scheduler, ulong seed)
    {
        var undisturbed = new World(scheduler, seed, crashEvery: 0);
        await undisturbed.PlayAsync();
        Assert.True(undisturbed.Crashes == 0 && undisturbed.Version > 5, $"The run made only {undisturbed.Version} versions: the test would show little.");
        var crashes = 0;
        for (var disturbance = 0UL; disturbance < 8; disturbance++)
        {
            var world = new World(scheduler, seed, crashEvery: 60, disturbance);
            await world.PlayAsync();
            Assert.Equal(undisturbed.Version, world.Version);
            Assert.Equal(undisturbed.Model, world.Model);
            Assert.Equal(undisturbed.Acknowledged, world.Acknowledged);
            crashes += world.Crashes;
        }

        Assert.True(crashes > (scheduler == RememberingClients ? 30 : 60), $"Only {crashes} crashes: the test would show little.");
    }

    [Theory]
    [MemberData(nameof(Schedules))]
    public async Task EveryPublishedUpdateCountsExactlyOnce(string scheduler, ulong seed)
    {
        var world = new World(scheduler, seed, crashEvery: 40);
        await world.PlayAsync();

        // Whoever was told "accepted" is in one version, or in none yet; nobody else is.
        var inVersions = world.Made.Values.SelectMany(updates => updates).Select(u => u.Update).ToList();
        var told = world.Acknowledged.Where(a => a.EndsWith(" accepted", StringComparison.Ordinal)).Distinct().Count();
        Assert.Equal(inVersions.Count, inVersions.Distinct().Count());
        Assert.Equal(told, inVersions.Count + world.Unpublished);
        Assert.Equal(Enumerable.Range(1, world.Version), world.Made.Keys);
        if (scheduler == Schedulers.Immediate)
        {
            // With α = 1 a version is what its one update was trained from, plus that update: the ones are the versions it descends from.
            var expected = new double[Parameters];
            for (var version = world.Version; version > 0; version = world.Made[version].Single().BaseVersion)
            {
                expected[world.Made[version].Single().Update] = 1;
            }

            Assert.Equal(expected, world.Model);
        }
        else if (scheduler != RememberingClients)
        {
            Assert.All(world.Model, value => Assert.True(value is 0 or 1, $"A coordinate is {value}: an update was counted more than once."));
            Assert.Equal(world.Accumulated, world.Model.Sum());
        }
    }

    public static TheoryData<string, PrivacyOptions> Policies() => new()
    {
        { Schedulers.Buffered, new CentralPrivacyOptions { Mechanism = new DpFedAvgOptions { NoiseMultiplier = 1, ExpectedCohort = 3 }, MaxParticipations = 20 } },
        { Schedulers.Anarchic, new CentralPrivacyOptions { Mechanism = new DpFedAvgOptions { NoiseMultiplier = 1, ExpectedCohort = 2 }, AdaptiveClipping = new AdaptiveClipOptions { InitialBound = 0.5 } } },
        { Schedulers.Synchronous, new CentralPrivacyOptions { Mechanism = new DpFtrlOptions { NoiseMultiplier = 2, ExpectedCohort = 3, Steps = 40, Factorization = "tree-honaker", MaxParticipations = 30 } } },
        { Schedulers.Buffered, new CentralPrivacyOptions { Mechanism = new DpFtrlOptions { NoiseMultiplier = 2, ExpectedCohort = 3, Steps = 40, RestartEvery = 8, MaxParticipations = 6 } } },
        { Schedulers.FixedWindow, new LocalPrivacyOptions { ReportEpsilon = 8, ClipNorm = 10, MaxParticipations = 12 } },
        { Schedulers.Buffered, new ShufflePrivacyOptions { ReportEpsilon = 2, ClipNorm = 10, MaxParticipations = 12 } },
    };

    [Theory]
    [MemberData(nameof(Policies))]
    public async Task APrivateRunThatIsKilledRefundsNothingAndRepeatsTheSameReleases(string scheduler, PrivacyOptions policy)
    {
        var undisturbed = new World(scheduler, 1, crashEvery: 0, privacy: policy);
        await undisturbed.PlayAsync();
        Assert.True(undisturbed.Version > 3 && undisturbed.Privacy!.Policy.Spent!.Epsilon > 0, $"The run made only {undisturbed.Version} versions: the test would show little.");
        var (crashes, compared) = (0, 0);
        for (var disturbance = 0UL; disturbance < 3; disturbance++)
        {
            var world = new World(scheduler, 1, crashEvery: 60, disturbance, policy);
            await world.PlayAsync();
            Assert.Equal(undisturbed.Version, world.Version);
            Assert.Equal(undisturbed.Model, world.Model);
            Assert.Equal(undisturbed.Acknowledged, world.Acknowledged);
            Assert.Equal(undisturbed.Privacy!.Policy.Save().Participations.OrderBy(p => p.Key), world.Privacy!.Policy.Save().Participations.OrderBy(p => p.Key));
            Assert.Equal(undisturbed.Privacy.Policy.Save().ClipNorm, world.Privacy.Policy.Save().ClipNorm);
            Assert.Equal(undisturbed.Privacy.Policy.Spent, world.Privacy.Policy.Spent);
            Assert.Equal(undisturbed.Ledger!.Course, world.Ledger!.Course);
            Assert.Equal(undisturbed.Ledger.Nearest(3), world.Ledger.Nearest(3));
            crashes += world.Crashes;
            compared += world.LedgersCompared;
        }

        output.WriteLine($"{policy.GetType().Name} over {scheduler}: {crashes} crashes, {compared} ledgers compared right after one; {undisturbed.Version} releases.");
        Assert.True(crashes > 20, $"Only {crashes} crashes: the test would show little.");
        Assert.True(policy is CentralPrivacyOptions { Mechanism: DpFtrlOptions { RestartEvery: > 0 } } || compared > 15, $"Only {compared} ledgers compared right after a crash.");
    }
}

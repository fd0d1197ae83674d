using System.Globalization;
using Federated.Coordinator.Scheduling;
using Xunit.Abstractions;

namespace Federated.Coordinator.Tests.Hosting;

/// <summary>
/// Random schedules of everything that goes wrong between a coordinator and its clients at once: crashes between any two file operations
/// with lost, torn and garbled writes; full and slow disks; requests that are lost, answered into the void, repeated, delayed and
/// reordered; clients that forget; clocks that somebody sets. Whatever the schedule: who was told "accepted" is counted once, nobody else
/// is, no version ever changes, and a synchronous run ends with the undisturbed run's model, to the bit.
/// </summary>
/// <remarks>
/// A schedule is a function of its seed. How many are run per scheduler is read from FEDERATED_SCHEDULES (default 8); results of thousands
/// are committed in <c>benchmarks/results</c>.
/// </remarks>
public sealed class FaultScheduleTests(ITestOutputHelper output)
{
    private static readonly int Schedules =
        int.Parse(Environment.GetEnvironmentVariable("FEDERATED_SCHEDULES") ?? "8", CultureInfo.InvariantCulture);

    public static TheoryData<string> Names => [FaultWorld.WholeCohort, FaultWorld.UnderAPolicy, Schedulers.Synchronous, Schedulers.Buffered, Schedulers.Immediate, Schedulers.Compass, Schedulers.FixedWindow, Schedulers.Anarchic];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task NothingIsLostOrCountedTwiceAndNoVersionEverChanges(string scheduler)
    {
        var total = new FaultCounts();
        double[]? undisturbed = null;
        if (scheduler == FaultWorld.WholeCohort)
        {
            var calm = new FaultWorld(scheduler, 0, isCalm: true);
            undisturbed = await calm.PlayAsync();
        }

        for (var seed = 1UL; seed <= (ulong)Schedules; seed++)
        {
            var world = new FaultWorld(scheduler, seed, isCalm: false);
            var playing = Task.Run(world.PlayAsync);
            Assert.True(playing == await Task.WhenAny(playing, Task.Delay(TimeSpan.FromMinutes(5))), $"Schedule {seed} stands still: {world.Where}");
            var model = await playing;
            total.Add(world.Counts);
            if (undisturbed is not null)
            {
                Assert.True(undisturbed.AsSpan().SequenceEqual(model), $"Schedule {seed} ended with another model than the undisturbed run.");
            }
        }

        output.WriteLine($"{scheduler}: {Schedules} schedules, {total}");
        Assert.True(total.Crashes >= Schedules / 2, $"Only {total.Crashes} crashes in {Schedules} schedules: the test would show little.");
        Assert.True(total.Repeated >= Schedules && (total.FullDisks > 0 || Schedules < 50), $"Too little went wrong: {total}.");
    }
}

/// <summary>What went wrong in schedules.</summary>
internal sealed class FaultCounts
{
    public long Requests { get; set; }

    public long Crashes { get; set; }

    public long FullDisks { get; set; }

    public long SlowSyncs { get; set; }

    public long Repeated { get; set; }

    public long Unanswered { get; set; }

    public long Reordered { get; set; }

    public long ClockJumps { get; set; }

    public long ForgetfulClients { get; set; }

    public long Accepted { get; set; }

    public long Versions { get; set; }

    /// <summary>Participations in ledgers, each compared with the updates that are in versions.</summary>
    public long Charged { get; set; }

    public void Add(FaultCounts other)
    {
        Requests += other.Requests;
        Crashes += other.Crashes;
        FullDisks += other.FullDisks;
        SlowSyncs += other.SlowSyncs;
        Repeated += other.Repeated;
        Unanswered += other.Unanswered;
        Reordered += other.Reordered;
        ClockJumps += other.ClockJumps;
        ForgetfulClients += other.ForgetfulClients;
        Accepted += other.Accepted;
        Versions += other.Versions;
        Charged += other.Charged;
    }

    public override string ToString() =>
        $"{Requests} requests, {Crashes} crashes, {FullDisks} full disks, {SlowSyncs} slow syncs, {Repeated} repeated and {Reordered} reordered requests, "
        + $"{Unanswered} answers lost, {ClockJumps} clock jumps, {ForgetfulClients} forgetful clients; {Accepted} updates accepted, {Versions} versions" + (Charged > 0 ? $", {Charged} participations charged" : "");
}

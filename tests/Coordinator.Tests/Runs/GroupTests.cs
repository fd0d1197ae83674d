using System.Collections.Immutable;
using Federated.Aggregation.Randomness;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Runs;

/// <summary>Groups of updates at the machine: as the members alone, all at once, once.</summary>
public sealed class GroupTests
{
    private static readonly UpdateReport Good = new() { Examples = 10, LocalSteps = 5 };

    private readonly RunMachine machine = New(versions: 3);

    private readonly List<Assignment> leases = [];

    public GroupTests() => leases.AddRange(Open(machine));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void AGroupDoesWhatItsMembersDoOneAfterTheOther(ulong seed)
    {
        var random = SeededRandom.Derive(seed, "groups");
        var (alone, together) = (New(versions: 4, goal: 3, concurrency: 6), New(versions: 4, goal: 3, concurrency: 6));
        Assert.Equal(Open(alone), Open(together));
        for (var round = 0; round < 12; round++)
        {
            // Some twice, some of others, some not finite, some long gone: and the group that ends the run has members after its end.
            var members = Enumerable.Range(0, 5)
                .Select(_ => new UpdateArrived(
                    round, new AssignmentId(random.NextInt(6 + (4 * round))), new ClientId(random.NextInt(8)), Good with { IsFinite = random.NextDouble() < 0.8 }, random.NextDouble() < 0.5))
                .Concat(together.Assignments.OrderBy(a => a.Id).Take(3).Select(a => new UpdateArrived(round, a.Id, a.Client, Good, true)))
                .ToImmutableArray();
            var group = Handle(together, new GroupArrived(round, $"batch {round}", members));
            var single = members.SelectMany(m => Handle(alone, m)).ToList();
            Assert.Equal(single.Select(e => e.ToString()), group.SkipLast(1).Select(e => e.ToString()));
            PassDeadlines(alone, single, round);
            PassDeadlines(together, group, round);
            var settled = Assert.IsType<GroupSettled>(group[^1]);
            Assert.Equal(members.Select(m => m.Assignment), settled.Members.Select(m => m.Assignment));
            Assert.Equal(alone.Counters, together.Counters);
            for (var client = 0; client < 8; client++)
            {
                PassDeadlines(alone, Handle(alone, new CheckIn(round, new ClientId(client))), round);
                PassDeadlines(together, Handle(together, new CheckIn(round, new ClientId(client))), round);
            }
        }

        Assert.Equal((RunStatus.Finished, 4), (together.Status, together.Version));
    }

    [Fact]
    public void AGroupThatComesAgainChangesNothingAndIsAnsweredAsItWas()
    {
        var group = Group("batch", leases[0], leases[1] with { Client = new ClientId(7) }, leases[2]);
        var first = Handle(machine, group).OfType<GroupSettled>().Single();
        Assert.Equal([null, Rejection.NotYours, null], first.Members.Select(m => m.Refused));
        var before = Bytes(machine);
        var again = Assert.IsType<GroupSettled>(Assert.Single(Handle(machine, group)));
        Assert.Equal((first.Group, true), (again.Group, again.Again));
        Assert.Equal<MemberOutcome>([.. first.Members], [.. again.Members]);
        Assert.Equal(before, Bytes(machine));
    }

    [Fact]
    public void ItIsRememberedInASnapshot()
    {
        var group = Group("batch", leases[0], leases[1], leases[2]);
        var first = Handle(machine, group).OfType<GroupSettled>().Single();
        var restored = New(versions: 3);
        using (var reader = new BinaryReader(new MemoryStream(Bytes(machine))))
        {
            restored.Load(reader);
        }

        Assert.Equal(Bytes(machine), Bytes(restored));
        var again = Assert.IsType<GroupSettled>(Assert.Single(Handle(restored, group)));
        Assert.True(again.Again);
        Assert.Equal<MemberOutcome>([.. first.Members], [.. again.Members]);
    }

    [Fact]
    public void TheSameAssignmentsUnderAnotherNameCountOnce()
    {
        Handle(machine, Group("batch", leases[0], leases[1], leases[2]));
        var settled = Handle(machine, Group("other", leases[0], leases[1], leases[2])).OfType<GroupSettled>().Single();
        Assert.Equal([Rejection.Duplicate, Rejection.Duplicate, Rejection.Duplicate], settled.Members.Select(m => m.Refused!.Value));
        Assert.Equal((1, 3), (machine.Version, machine.Counters.Accepted));
    }

    [Fact]
    public void ItsFormInTheLogIsReadBack()
    {
        var report = Good with { Delta = new BlobReference(new string('a', 64), 9), TrainingLoss = 0.5 };
        var e = new GroupArrived(7, "batch", [new UpdateArrived(7, new AssignmentId(3), new ClientId(1), report, true), new UpdateArrived(7, new AssignmentId(4), new ClientId(2), Good, false)]);
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            writer.WriteEvent(e);
        }

        bytes.Position = 0;
        using var reader = new BinaryReader(bytes);
        var read = Assert.IsType<GroupArrived>(reader.ReadEvent());
        Assert.Equal((e.Time, e.Group), (read.Time, read.Group));
        Assert.Equal(e.Members.Select(m => m.ToString()), read.Members.Select(m => m.ToString()));
        Assert.Equal(bytes.Length, bytes.Position);
    }

    private static RunMachine New(int versions, int goal = 3, int concurrency = 3) => new(
        new RunOptions { Stop = new StopOptions { Versions = versions }, MaxStaleness = 1, OnStale = StalenessPolicy.Abort },
        new BufferedScheduler(new BufferedOptions { Concurrency = concurrency, AggregationGoal = goal }, new FixedWork(LocalWork.OfSteps(5)), UpdateWeight.Equal));

    private static GroupArrived Group(string name, params Assignment[] leases) =>
        new(5, name, [.. leases.Select(l => new UpdateArrived(5, l.Id, l.Client, Good, false))]);

    private static List<Assignment> Open(RunMachine machine)
    {
        Handle(machine, new RunStarted(0));
        for (var i = 0; i < 8; i++)
        {
            Handle(machine, new ClientJoined(0, new ClientId(i), 10));
        }

        for (var i = 0; i < 8; i++)
        {
            PassDeadlines(machine, Handle(machine, new CheckIn(0, new ClientId(i))), 0);
        }

        return [.. machine.Assignments.OrderBy(a => a.Id)];
    }

    private static List<RunEffect> Handle(RunMachine machine, RunEvent e)
    {
        List<RunEffect> effects = [];
        machine.Handle(e, effects);
        return effects;
    }

    /// <summary>As a host does: the deadlines that are due at once, after the event.</summary>
    private static void PassDeadlines(RunMachine machine, List<RunEffect> effects, double now)
    {
        foreach (var arm in effects.OfType<ArmDeadline>().Where(arm => arm.Time <= now))
        {
            Handle(machine, new DeadlinePassed(now, arm.Deadline));
        }
    }

    private static byte[] Bytes(RunMachine machine)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        machine.Save(writer);
        writer.Flush();
        return bytes.ToArray();
    }
}

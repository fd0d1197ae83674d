using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Runs;

/// <summary>What holds for a run with any scheduler, under hosts and clients that misbehave at random.</summary>
public abstract class RunMachineConformance
{
    protected const int Clients = 12;

    /// <summary>A fresh scheduler, always with the same settings.</summary>
    protected abstract IScheduler NewScheduler();

    protected virtual RunOptions Options => new()
    {
        Seed = 7,
        ClientTimeout = 40,
        MaxStaleness = 6,
        DivergenceLimit = 1_000_000,
        Stop = new StopOptions { Versions = 100_000 },
    };

    private RandomHost Run(ulong seed, int steps, RunOptions? options = null)
    {
        var host = new RandomHost(new RunMachine(options ?? Options, NewScheduler()), Clients, seed);
        host.Start();
        for (var i = 0; i < steps; i++)
        {
            host.Step();
        }

        return host;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void EveryDispatchedAssignmentIsSettledExactlyOnce(ulong seed)
    {
        var host = Run(seed, 3000);
        var settled = new Dictionary<AssignmentId, int>();
        foreach (var id in host.AllEffects.Select(SettledBy).OfType<AssignmentId>())
        {
            settled[id] = settled.GetValueOrDefault(id) + 1;
        }

        Assert.All(settled, pair => Assert.Equal(1, pair.Value));
        var dispatched = host.AllEffects.OfType<Dispatch>().Select(d => d.Assignment.Id).ToHashSet();
        var inFlight = host.Machine.Assignments.Select(a => a.Id).ToHashSet();
        Assert.Equal(dispatched.Except(inFlight).Order(), settled.Keys.Order());
        Assert.True(host.Machine.Version > 20, $"The run made only {host.Machine.Version} versions: the test would show little.");
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void AcceptedUpdatesAreAccumulatedAtMostOnceAndVersionsAreConsecutive(ulong seed)
    {
        var host = Run(seed, 3000);
        var accepted = host.AllEffects.OfType<Accepted>().Select(a => a.Assignment.Id).ToList();
        var accumulated = host.AllEffects.OfType<Accumulate>().Select(a => a.Assignment.Id).ToList();
        Assert.Equal(accumulated.Count, accumulated.Distinct().Count());
        Assert.Empty(accumulated.Except(accepted));
        var versions = host.AllEffects.OfType<Publish>().Select(p => p.Version).ToList();
        Assert.Equal(Enumerable.Range(1, versions.Count), versions);

        var open = 0;
        foreach (var effect in host.AllEffects)
        {
            open += effect is Accumulate ? 1 : 0;
            if (effect is Publish publish)
            {
                Assert.Equal(open, publish.Count);
                open = 0;
            }
        }

        Assert.Equal(open, host.Machine.OpenAggregate.Count);
    }

    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    public void AnAssignmentGoesOnlyToAClientWithoutOne(ulong seed)
    {
        var busy = new Dictionary<ClientId, AssignmentId>();
        foreach (var effect in Run(seed, 3000).AllEffects)
        {
            if (effect is Dispatch dispatch)
            {
                if (busy.TryGetValue(dispatch.Assignment.Client, out var held))
                {
                    Assert.Equal(held, dispatch.Assignment.Id); // Given again after a restart: the same lease.
                }

                busy[dispatch.Assignment.Client] = dispatch.Assignment.Id;
            }
            else if (SettledBy(effect) is { } id)
            {
                busy.Remove(busy.Single(pair => pair.Value == id).Key);
            }
        }
    }

    [Fact]
    public void TheSameEventsGiveTheSameEffects() => Assert.Equal(Run(31, 2000).Log, Run(31, 2000).Log);

    [Theory]
    [InlineData(41)]
    [InlineData(42)]
    [InlineData(43)]
    public void ARunRestoredAfterAnyEventGoesOnAsIfNothingHadHappened(ulong seed)
    {
        var undisturbed = Run(seed, 1200);
        var host = new RandomHost(new RunMachine(Options, NewScheduler()), Clients, seed);
        host.Start();
        for (var i = 0; i < 1200; i++)
        {
            if (i % 7 == 0)
            {
                host.Machine = Restored(host.Machine);
            }

            host.Step();
        }

        Assert.Equal(undisturbed.Log, host.Log);
    }

    [Fact]
    public void NothingIsDispatchedWhilePausedOrAfterTheEnd()
    {
        var host = Run(51, 1500, Options with { Stop = new StopOptions { ClientUpdates = 200 } });
        Assert.Equal(RunStatus.Finished, host.Machine.Status);
        Assert.Empty(host.Machine.Assignments);
        var halted = false;
        foreach (var effect in host.AllEffects)
        {
            halted = effect switch
            {
                StatusChanged { Status: RunStatus.Paused } or Finish => true,
                StatusChanged { Status: RunStatus.Running } => false,
                _ => halted,
            };
            Assert.False(halted && effect is Dispatch { Assignment: var a } && !host.Machine.Assignments.Contains(a) && IsNew(host, a), $"{effect} while halted");
        }

        static bool IsNew(RandomHost host, Assignment a) => host.AllEffects.OfType<Dispatch>().Count(d => d.Assignment.Id == a.Id) == 1;
    }

    private RunMachine Restored(RunMachine machine)
    {
        using var snapshot = new MemoryStream();
        using (var writer = new BinaryWriter(snapshot, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            machine.Save(writer);
        }

        snapshot.Position = 0;
        var restored = new RunMachine(Options, NewScheduler());
        using var reader = new BinaryReader(snapshot);
        restored.Load(reader);
        Assert.Equal(snapshot.Length, snapshot.Position);
        return restored;
    }

    private static AssignmentId? SettledBy(RunEffect effect) => effect switch
    {
        Accepted a => a.Assignment.Id,
        Rejected { Assignment: { } assignment } => assignment.Id,
        Lost l => l.Assignment.Id,
        _ => null,
    };
}

public sealed class SynchronousRunMachine : RunMachineConformance
{
    protected override IScheduler NewScheduler() => new SynchronousScheduler(
        new SynchronousOptions { Cohort = 4, OverSelection = 0.5, RoundDeadline = 20, MinimumReports = 2 },
        new FixedWork(LocalWork.OfSteps(5)),
        UpdateWeight.ByExamples);
}

public sealed class SynchronousRunMachineWithoutDeadline : RunMachineConformance
{
    protected override IScheduler NewScheduler() => new SynchronousScheduler(
        new SynchronousOptions { Cohort = 5, SelectionWindow = 3 }, new FixedWork(LocalWork.OfEpochs(1)), UpdateWeight.ByExamples);
}

public sealed class PoissonRunMachine : RunMachineConformance
{
    protected override IScheduler NewScheduler() => new PoissonScheduler(
        new PoissonOptions { Probability = 0.3, RoundDeadline = 20 }, new FixedWork(LocalWork.OfSteps(5)), UpdateWeight.Equal);
}

public sealed class PoissonRunMachineWithoutDeadline : RunMachineConformance
{
    protected override IScheduler NewScheduler() => new PoissonScheduler(
        new PoissonOptions { Probability = 0.5 }, new FixedWork(LocalWork.OfEpochs(1)), UpdateWeight.ByExamples);
}

public sealed class BufferedRunMachine : RunMachineConformance
{
    protected override IScheduler NewScheduler() => new BufferedScheduler(
        new BufferedOptions { Concurrency = 8, AggregationGoal = 3 }, new FixedWork(LocalWork.OfSteps(5)), new UpdateWeight(_ => 1, staleness => 1 / Math.Sqrt(1 + staleness)));
}

public sealed class BufferedRunMachineThatAbortsAndRests : RunMachineConformance
{
    protected override RunOptions Options => base.Options with { MaxStaleness = 2, OnStale = StalenessPolicy.Abort, CoolDown = 5 };

    protected override IScheduler NewScheduler() => new BufferedScheduler(
        new BufferedOptions { Concurrency = 8, AggregationGoal = 2 }, new FixedWork(LocalWork.OfSteps(5)), UpdateWeight.Equal);
}

public sealed class ImmediateRunMachine : RunMachineConformance
{
    protected override IScheduler NewScheduler() => new ImmediateScheduler(
        new ImmediateOptions { Concurrency = 6 }, new FixedWork(LocalWork.OfSteps(5)), new UpdateWeight(_ => 1, staleness => 1 / Math.Sqrt(1 + staleness)));
}

public sealed class CompassRunMachine : RunMachineConformance
{
    protected override IScheduler NewScheduler() => new CompassScheduler(
        new CompassOptions { MinSteps = 2, MaxSteps = 10 }, new UpdateWeight(_ => 1, staleness => 1 / Math.Sqrt(1 + staleness)));
}

public sealed class FixedWindowRunMachine : RunMachineConformance
{
    protected override IScheduler NewScheduler() => new FixedWindowScheduler(
        new FixedWindowOptions { Window = 7 }, new FixedWork(LocalWork.OfSteps(5)), new ParticipationWeight(UpdateWeight.ByExamples));
}

public sealed class AnarchicRunMachine : RunMachineConformance
{
    protected override IScheduler NewScheduler() => new AnarchicScheduler(new AnarchicOptions { AggregationGoal = 3 }, UpdateWeight.Equal);
}

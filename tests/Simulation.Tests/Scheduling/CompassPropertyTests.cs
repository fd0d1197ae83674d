using Federated.Aggregation.Randomness;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Simulation.Results;
using Federated.Simulation.Tests.Engine;
using FsCheck;
using FsCheck.Fluent;

namespace Federated.Simulation.Tests.Scheduling;

/// <summary>What FedCompass promises whatever its clients do.</summary>
public sealed class CompassPropertyTests
{
    private const double Slowest = 0.08;

    private static readonly double[] Factors = [1.0001, 1.2, 1.5];

    private static readonly CompassOptions Compass = new() { MinSteps = 5, MaxSteps = 40, LatestTimeFactor = 1.2 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void UnderJitterDropoutsAndRejoinsEveryAcceptedUpdateIsMergedOnceAndSoon(ulong seed)
    {
        var clients = new ClientsOptions
        {
            Count = 3 + (int)(seed * 2),
            Responsiveness = new UniformResponsiveness { Minimum = 0.005, Maximum = Slowest, Per = DrawScope.Task },
            Connectivity = new InstantConnectivity { Dropout = 0.1 },
        };
        var (outcome, record) = Timeline.Run(
            Compass, clients, new RunOptions { Seed = seed, ClientTimeout = 30, EvaluateEvery = 0, Stop = new StopOptions { ClientUpdates = 1500 } });

        var merged = record.Updates.Where(u => u.Outcome == UpdateOutcome.Accepted && u.Weight > 0).ToList();
        Assert.Equal(merged.Count, merged.Select(u => u.Assignment).Distinct().Count());
        Assert.InRange(outcome.Counters.Accepted - merged.Count, 0, clients.Count * 2); // What still waits in groups when the run ends.
        Assert.All(merged, u => Assert.InRange(u.LocalSteps, Compass.MinSteps, Compass.MaxSteps));
        Assert.All(merged, u => Assert.True(
            u.AggregateSeconds <= (Compass.LatestTimeFactor * Compass.MaxSteps * Slowest) + 1e-9,
            $"The update of assignment {u.Assignment} waited {u.AggregateSeconds} s."));
        Assert.True(outcome.Counters.Lost > 50, "Nobody dropped out: the test would show little.");
        Assert.Equal(clients.Count, merged.Select(u => u.Client).Distinct().Count());
    }

    [Fact]
    public void Under_any_speeds_jitter_dropouts_and_rejoins_every_submit_gets_one_reply_and_nothing_accepted_is_lost() =>
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), value =>
        {
            var seed = (ulong)value;
            var random = new SeededRandom(seed);
            var options = Compass with { LatestTimeFactor = Factors[random.NextInt(Factors.Length)] };
            var clients = new ClientsOptions
            {
                Count = 1 + random.NextInt(9),
                Responsiveness = random.NextInt(3) switch
                {
                    0 => new UniformResponsiveness { Minimum = 0.005, Maximum = Slowest, Per = DrawScope.Task },
                    1 => new ExponentialResponsiveness { Mean = 0.02, Per = DrawScope.Client },
                    _ => new LogNormalResponsiveness { Median = 0.02, Per = DrawScope.Task },
                },
                Connectivity = new InstantConnectivity { Dropout = random.NextInt(2) * 0.3 * random.NextDouble() },
                Availability = random.NextInt(3) == 0
                    ? new DutyCycleAvailability { PeriodSeconds = 30, OnlineShare = 0.6, WhenLeaving = (Leaving)random.NextInt(2) }
                    : new AlwaysAvailable(),
            };
            var run = new RunOptions { Seed = seed, EvaluateEvery = 0, Stop = new StopOptions { ClientUpdates = 300 } };
            var scheduler = new CompassScheduler(options, UpdateWeight.Equal);
            var machine = new RunMachine(run, scheduler);
            using var workload = new Watching(new TimelineWorkload(_ => 100, 10, 0), scheduler, options);
            var record = new Recorder();
            var outcome = new Simulator(machine, run, new Fleet(clients, clients.Count, seed), workload, record, TimeProvider.System)
                .Run(CancellationToken.None);

            var merged = record.Updates.Where(u => u is { Outcome: UpdateOutcome.Accepted, Weight: > 0 }).ToList();
            Assert.Equal(merged.Count, merged.Select(u => u.Assignment).Distinct().Count());
            Assert.Equal(outcome.Counters.Accepted, merged.Count + scheduler.Held.Count());
            Assert.Equal(outcome.Counters.Accepted, outcome.Counters.Accumulated + scheduler.Held.Count());

            if (clients.Availability is AlwaysAvailable)
            {
                AssertAnswered(record.Updates, outcome.VirtualSeconds, scheduler, options);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60).WithReplay(20261121UL, 5UL));

    [Theory]
    [InlineData(1e9, DrawScope.Task)] // However late they are, groups wait: every group is complete.
    [InlineData(1.0001, DrawScope.Client)] // Constant speeds are predicted to the step: nobody is ever late.
    public void NobodyIsLateWhereGroupsWaitForEverOrSpeedsAreConstant(double factor, DrawScope scope)
    {
        var options = Compass with { LatestTimeFactor = factor };
        var clients = new ClientsOptions { Count = 7, Responsiveness = new UniformResponsiveness { Minimum = 0.005, Maximum = Slowest, Per = scope } };
        var run = new RunOptions { EvaluateEvery = 0, Stop = new StopOptions { ClientUpdates = 400 } };
        var scheduler = new CompassScheduler(options, UpdateWeight.Equal);
        using var workload = new Watching(new TimelineWorkload(_ => 100, 10, 0), scheduler, options, g => Assert.True(g.Latest > 0, $"Group {g.Number} closed without all."));
        new Simulator(new RunMachine(run, scheduler), run, new Fleet(clients, 7, 1), workload, null, TimeProvider.System).Run(CancellationToken.None);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void AClientThatIsAlwaysLateIsHeardEveryTime(int punctual)
    {
        // Its speed is predicted from the last task alone, and each task is twice as slow as the one before: late whenever it has a group.
        var always = Enumerable.Range(0, 10).Select(i => 0.001 * Math.Pow(2, i)).ToList();
        var rows = Enumerable.Repeat<IReadOnlyList<double>>([0.01], punctual).Prepend(always).ToList();
        var (_, record) = Timeline.Run(
            Compass with { SpeedMomentum = 1 },
            new ClientsOptions { Count = rows.Count, Responsiveness = new TableResponsiveness { Rows = rows } },
            new RunOptions { EvaluateEvery = 0, Stop = new StopOptions { Seconds = 60 } });

        var late = record.Updates.Where(u => u is { Client: 0, Outcome: UpdateOutcome.Accepted, Weight: > 0 }).ToList();
        Assert.True(late.Count >= 10, $"Only {late.Count} of its updates were merged.");
        Assert.All(late, u => Assert.True(u.AggregateSeconds <= Compass.LatestTimeFactor * Compass.MaxSteps * 0.512, $"It waited {u.AggregateSeconds} s."));
    }

    /// <summary>Every submit is followed by one dispatch to its sender, once its group is complete or its latest time has come.</summary>
    private static void AssertAnswered(List<UpdateRow> updates, double end, CompassScheduler scheduler, CompassOptions options)
    {
        var slowest = updates.Where(u => u.LocalSteps > 0).Max(u => (u.EndedAt - u.DispatchedAt) / u.LocalSteps);
        var waiting = scheduler.Held.Select(u => u.Assignment.Client.Value).ToHashSet();
        foreach (var own in updates.GroupBy(u => u.Client))
        {
            var tasks = own.OrderBy(u => u.Assignment).ToList();
            for (var i = 0; i < tasks.Count; i++)
            {
                if (tasks[i].Outcome != UpdateOutcome.Accepted)
                {
                    continue;
                }

                if (i + 1 < tasks.Count)
                {
                    var waited = tasks[i + 1].DispatchedAt - tasks[i].EndedAt;
                    Assert.InRange(waited, 0, (options.LatestTimeFactor * options.MaxSteps * slowest) + 1e-9);
                }
                else
                {
                    var merged = tasks[i].EndedAt + tasks[i].AggregateSeconds;
                    Assert.True(merged >= end - 1e-9 || waiting.Contains(own.Key), $"Client {own.Key}, merged at {merged} s, was never answered.");
                }
            }
        }
    }

    /// <summary>Looks at the scheduler whenever it has answered a client.</summary>
    private sealed class Watching(IWorkload inner, CompassScheduler scheduler, CompassOptions options, Action<CompassGroupFacts>? look = null)
        : PassingWorkload(inner)
    {
        public override void Begin(int slot, Assignment assignment, int steps, double due)
        {
            Assert.InRange(steps, options.MinSteps, options.MaxSteps);
            var members = scheduler.Groups.SelectMany(g => g.Out.Concat(g.Arrived)).ToList();
            Assert.Equal(members.Count, members.Distinct().Count());
            Assert.All(scheduler.Groups, g => Assert.True(g.Out.Length + g.Arrived.Length > 0, $"Group {g.Number} is empty and stays."));
            foreach (var group in scheduler.Groups)
            {
                look?.Invoke(group);
            }

            base.Begin(slot, assignment, steps, due);
        }
    }

    [Fact]
    public void AnAlwaysLateClientThatIsAloneIsMergedAtOnce()
    {
        IReadOnlyList<IReadOnlyList<double>> rows = [Enumerable.Range(0, 8).Select(i => 0.001 * Math.Pow(2, i)).ToList()];
        var (outcome, record) = Timeline.Run(
            Compass with { SpeedMomentum = 1 },
            new ClientsOptions { Count = 1, Responsiveness = new TableResponsiveness { Rows = rows } },
            new RunOptions { EvaluateEvery = 0, Stop = new StopOptions { ClientUpdates = 8 } });
        Assert.Equal(8, outcome.Counters.Accumulated);
        Assert.All(record.Updates.Where(u => u.Outcome == UpdateOutcome.Accepted), u => Assert.Equal(0, u.AggregateSeconds));
    }

    [Fact]
    public void EqualConstantSpeedsEndAsSynchronousRounds()
    {
        // Dyadic speed: floor() is exact. First wave: four singles with staleness 0..3; second: one group, 3..0; then whole groups.
        var (_, record) = Timeline.Run(
            Compass,
            new ClientsOptions { Count = 4, Responsiveness = new ConstantResponsiveness { Seconds = 1 / 64.0 } },
            new RunOptions { EvaluateEvery = 0, Stop = new StopOptions { Versions = 12 } });
        var staleness = record.Updates.Where(u => u.Outcome == UpdateOutcome.Accepted).Select(u => u.Staleness).ToList();
        Assert.Equal([0, 1, 2, 3], staleness[..4]);
        Assert.Equal([3, 2, 1, 0], staleness[4..8]);
        Assert.All(staleness[8..], s => Assert.Equal(0, s));
        Assert.All(record.Versions.Skip(4), v => Assert.Equal(4, v.Updates));
        Assert.All(record.Updates.Where(u => u.Outcome == UpdateOutcome.Accepted), u => Assert.Equal(Compass.MaxSteps, u.LocalSteps));
    }
}

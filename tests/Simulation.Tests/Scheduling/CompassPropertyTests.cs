using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Simulation.Results;
using Federated.Simulation.Tests.Engine;

namespace Federated.Simulation.Tests.Scheduling;

/// <summary>What FedCompass promises whatever its clients do.</summary>
public sealed class CompassPropertyTests
{
    private const double Slowest = 0.08;

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

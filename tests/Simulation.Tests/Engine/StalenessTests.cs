using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Simulation.Devices;
using Federated.Simulation.Results;

namespace Federated.Simulation.Tests.Engine;

/// <summary>FedBuff's stationary staleness, (M_c − 1)/K for any i.i.d. durations: a sharp test of the event loop.</summary>
public sealed class StalenessTests
{
    private const int Concurrency = 100, Goal = 10, Updates = 60_000;

    public static TheoryData<ResponsivenessOptions> Durations => new(
        new ExponentialResponsiveness { Per = DrawScope.Task, Mean = 1 },
        new HalfNormalResponsiveness { Per = DrawScope.Task, Deviation = 1 },
        new NormalResponsiveness { Per = DrawScope.Task, Mean = 1, Deviation = 0.01 });

    [Theory]
    [MemberData(nameof(Durations))]
    public void Has_the_stationary_mean(ResponsivenessOptions durations)
    {
        var (outcome, record) = Timeline.Run(
            new BufferedOptions { Concurrency = Concurrency, AggregationGoal = Goal },
            new ClientsOptions { Count = 300, Responsiveness = durations },
            new RunOptions { Stop = new StopOptions { ClientUpdates = Updates } });

        // Each publish ages everyone in flight but the one whose arrival caused it: an identity, counted exactly.
        var aged = record.Updates.Sum(u => (long)u.Staleness);
        Assert.Equal((long)outcome.Versions * (Concurrency - 1), aged);

        // What is still in flight at the end is all that keeps the mean from 9.9: about 100 × 9.9 of 594,000, with a standard deviation
        // of some 100; a deviation of 0.05 would take 3,000. The false-alarm probability is below 1e-12; the seed is fixed.
        var mean = record.Updates.Where(u => u.Outcome == UpdateOutcome.Accepted).Average(u => u.Staleness);
        Assert.InRange(mean, 9.9 - 0.05, 9.9 + 0.001);
    }

    [Fact]
    public void A_goal_as_high_as_the_concurrency_is_not_FedAvg_since_who_finishes_first_starts_again_from_the_old_version()
    {
        const int n = 8;
        var clients = new ClientsOptions { Count = n, Responsiveness = new ExponentialResponsiveness { Per = DrawScope.Task, Mean = 1 } };
        var run = new RunOptions { Stop = new StopOptions { ClientUpdates = 8_000 } };
        var buffered = Timeline.Run(new BufferedOptions { Concurrency = n, AggregationGoal = n }, clients, run).Record;
        var synchronous = Timeline.Run(new SynchronousOptions { Cohort = n }, clients, run).Record;
        Assert.InRange(buffered.Updates.Where(u => u.Outcome == UpdateOutcome.Accepted).Average(u => u.Staleness), 0.87, 0.876); // (n − 1)/n
        Assert.All(synchronous.Updates, u => Assert.Equal(0, u.Staleness));
    }
}

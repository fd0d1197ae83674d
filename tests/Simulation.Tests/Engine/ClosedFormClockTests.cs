using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Simulation.Devices;

namespace Federated.Simulation.Tests.Engine;

/// <summary>Sixteen clients with task times of 105, 205 and 405 s in shares of 6, 5 and 5: the clock is known without simulating.</summary>
public sealed class ClosedFormClockTests
{
    private static readonly ClientsOptions Sixteen = new()
    {
        Count = 16,
        Responsiveness = new GroupsResponsiveness { Unit = DurationUnit.Task, Seconds = [105, 205, 405] },
    };

    [Fact]
    public void Ten_synchronous_rounds_take_ten_times_the_slowest()
    {
        var (outcome, record) = Timeline.Run(
            new SynchronousOptions { Cohort = 16 }, Sixteen, new RunOptions { Stop = new StopOptions { Versions = 10 } });

        Assert.Equal(4050.0, outcome.VirtualSeconds);
        Assert.Equal(Enumerable.Range(1, 10).Select(round => round * 405.0), record.Versions.Select(v => v.VirtualSeconds));
        Assert.Equal(160, outcome.Counters.Accepted);
    }

    [Theory]
    [InlineData(4050)] // Arrivals at the very end come before the timer that ends the run.
    [InlineData(4049.9)]
    [InlineData(10_000)]
    public void Buffered_with_a_goal_of_one_publishes_a_version_per_finished_task(double seconds)
    {
        var (outcome, _) = Timeline.Run(
            new BufferedOptions { Concurrency = 16, AggregationGoal = 1 }, Sixteen, new RunOptions { Stop = new StopOptions { Seconds = seconds } });

        var expected = (6 * Math.Floor(seconds / 105)) + (5 * Math.Floor(seconds / 205)) + (5 * Math.Floor(seconds / 405));
        Assert.Equal(expected, outcome.Versions);
        Assert.Equal(seconds, outcome.VirtualSeconds);
        Assert.Equal(16, outcome.Counters.Lost);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(10)]
    public void Buffered_publishes_a_version_per_goal(int goal)
    {
        var (outcome, _) = Timeline.Run(
            new BufferedOptions { Concurrency = 16, AggregationGoal = goal }, Sixteen, new RunOptions { Stop = new StopOptions { Seconds = 4050 } });
        Assert.Equal(((6 * 38) + (5 * 19) + (5 * 10)) / goal, outcome.Versions);
    }

    [Fact]
    public void Rounds_with_a_deadline_close_without_the_slow()
    {
        // Deadline 210 s: the eleven faster ones report, the five slow ones are let go.
        var (outcome, record) = Timeline.Run(
            new SynchronousOptions { Cohort = 16, RoundDeadline = 210, MinimumReports = 11 },
            Sixteen, new RunOptions { Stop = new StopOptions { Versions = 10 } });

        Assert.Equal(2100.0, outcome.VirtualSeconds);
        Assert.All(record.Versions, v => Assert.Equal(11, v.Updates));
        Assert.Equal(50, outcome.Counters.Rejected);
    }

    [Fact]
    public void Leases_that_end_free_their_client_at_once()
    {
        // Nobody can finish within 100 s: every task is lost at its lease's end, and the next begins there.
        var (outcome, record) = Timeline.Run(
            new BufferedOptions { Concurrency = 16, AggregationGoal = 1 }, Sixteen,
            new RunOptions { ClientTimeout = 100, Stop = new StopOptions { Seconds = 1000 } });

        Assert.Equal(0, outcome.Counters.Accepted);
        Assert.Equal(10, record.Updates.Count(u => u.Client == 3 && u.EndedAt - u.DispatchedAt == 100));
    }
}

using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Simulation.Results;
using Federated.Simulation.Tests.Engine;

namespace Federated.Simulation.Tests.Scheduling;

/// <summary>What Papaya's control plane promises (reference/algorithms.md, B6).</summary>
public sealed class PapayaTests
{
    private const int Deciles = 10;

    [Fact]
    public void As_many_clients_as_asked_for_are_in_flight_whatever_happens_to_them()
    {
        const int concurrency = 20;
        var clients = new ClientsOptions
        {
            Count = 500,
            Responsiveness = new LogNormalResponsiveness { Median = 1, Per = DrawScope.Task },
            Connectivity = new InstantConnectivity { Dropout = 0.2, WhenDroppingOut = DroppingOut.Vanish },
        };
        var options = new RunOptions { ClientTimeout = 6, MaxStaleness = 6, OnStale = StalenessPolicy.Abort, EvaluateEvery = 0, Stop = new StopOptions { Versions = 200 } };
        var machine = new RunMachine(
            options, Schedulers.Create(new BufferedOptions { Concurrency = concurrency, AggregationGoal = 5 }, new FixedWork(LocalWork.OfSteps(1)), UpdateWeight.Equal));
        using var workload = new Counting(new TimelineWorkload(_ => 100, 10, 0), assignment =>
        {
            if (assignment.DispatchedAt > 0)
            {
                Assert.Equal(concurrency, machine.Counters.InFlight);
            }
        });
        var outcome = new Simulator(machine, options, new Fleet(clients, clients.Count, 1), workload, null, TimeProvider.System).Run(CancellationToken.None);
        Assert.True(outcome.Counters is { Lost: > 20, Rejected: > 20 }, $"Too few timed out or were aborted, the test would show little: {outcome.Counters}");
    }

    [Fact]
    public void Asynchronous_runs_hear_every_speed_alike_and_over_selection_the_fast()
    {
        // Ten speeds, a hundred times from the fastest to the slowest; far more clients than are in flight.
        var clients = new ClientsOptions
        {
            Count = 20_000,
            Responsiveness = new TableResponsiveness
            {
                Unit = DurationUnit.Task,
                Rows = [.. Enumerable.Range(0, 20_000).Select(client => (double[])[Math.Pow(100, (client % Deciles) / 9.0)])],
            },
        };
        var asynchronous = Shares(new BufferedOptions { Concurrency = 100, AggregationGoal = 10 }, clients);
        var synchronous = Shares(new SynchronousOptions { Cohort = 100, OverSelection = 0.3 }, clients);

        // 10,000 updates: a decile's share is within 5 standard deviations of a tenth, less what is still in flight.
        Assert.All(asynchronous, share => Assert.InRange(share, 0.08, 0.12));
        Assert.InRange(synchronous[Deciles - 1], 0, 0.01);
        Assert.All(synchronous.Take(Deciles / 2), share => Assert.InRange(share, 0.12, 0.14));
    }

    private static double[] Shares(SchedulerOptions scheduler, ClientsOptions clients)
    {
        var (_, record) = Timeline.Run(scheduler, clients, new RunOptions { EvaluateEvery = 0, Stop = new StopOptions { ClientUpdates = 10_000 } });
        var accepted = record.Updates.Where(u => u.Outcome == UpdateOutcome.Accepted).ToList();
        return [.. Enumerable.Range(0, Deciles).Select(decile => (double)accepted.Count(u => u.Client % Deciles == decile) / accepted.Count)];
    }

    private sealed class Counting(IWorkload inner, Action<Assignment> look) : PassingWorkload(inner)
    {
        public override void Begin(int slot, Assignment assignment, int steps, double due)
        {
            look(assignment);
            base.Begin(slot, assignment, steps, due);
        }
    }
}

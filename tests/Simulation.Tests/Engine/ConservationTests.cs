using FsCheck;
using FsCheck.Fluent;
using Federated.Aggregation.Randomness;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Simulation.Devices;
using Federated.Simulation.Results;

namespace Federated.Simulation.Tests.Engine;

/// <summary>Whatever clients do, every dispatched assignment ends once, and time goes forward.</summary>
public sealed class ConservationTests
{
    [Fact]
    public void Every_assignment_ends_once_whatever_the_configuration() =>
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            var (scheduler, clients, options) = Configuration((ulong)seed);
            var (outcome, record) = Timeline.Run(scheduler, clients, options, modelBytes: 10_000);

            var counters = outcome.Counters;
            Assert.Equal(counters.Dispatched, counters.Accepted + counters.Rejected + counters.Lost);
            Assert.Equal(counters.Dispatched, record.Updates.Count);
            Assert.Equal(record.Updates.Count, record.Updates.DistinctBy(u => u.Assignment).Count());
            Assert.Equal(counters.Accepted, record.Updates.Count(u => u.Outcome == UpdateOutcome.Accepted));
            Assert.Equal(counters.Lost, record.Updates.Count(u => u.Outcome == UpdateOutcome.Lost));
            Assert.Equal(10_000 * counters.Dispatched, outcome.BytesDown); // Whoever is lost had its model all the same.
            Assert.All(record.Updates, u => Assert.True(u.EndedAt >= u.DispatchedAt, $"{u} ends before it begins."));
            Assert.Equal(Enumerable.Range(1, outcome.Versions), record.Versions.Select(v => v.Version));
            Assert.Equal(record.Versions.OrderBy(v => v.VirtualSeconds), record.Versions);

            // One client, one task at a time.
            foreach (var own in record.Updates.GroupBy(u => u.Client))
            {
                var ends = 0.0;
                foreach (var update in own.OrderBy(u => u.Assignment))
                {
                    Assert.True(update.DispatchedAt >= ends, $"{update} begins before the client's last task ended at {ends}.");
                    ends = update.EndedAt;
                }
            }
        }).Check(Config.QuickThrowOnFailure.WithReplay(20260101UL, 3UL));

    [Fact]
    public void The_same_seed_gives_the_same_rows()
    {
        for (var seed = 0UL; seed < 20; seed++)
        {
            var (scheduler, clients, options) = Configuration(seed);
            var (one, other) = (Timeline.Run(scheduler, clients, options, modelBytes: 10_000).Record, Timeline.Run(scheduler, clients, options, modelBytes: 10_000).Record);
            Assert.Equal(one.Updates, other.Updates);
            Assert.Equal(one.Versions, other.Versions);
        }
    }

    /// <summary>Any composition of the knobs that a run can end under.</summary>
    private static (SchedulerOptions Scheduler, ClientsOptions Clients, RunOptions Options) Configuration(ulong seed)
    {
        var random = new SeededRandom(seed);
        var count = 1 + random.NextInt(40);
        var goal = 1 + random.NextInt(count);
        var silent = random.NextInt(2) == 1;
        AvailabilityOptions availability = random.NextInt(4) switch
        {
            0 => new AlwaysAvailable(),
            1 => new DutyCycleAvailability { PeriodSeconds = 20, OnlineShare = 0.1 + (0.9 * random.NextDouble()) },
            2 => new DiurnalAvailability(),
            _ => new PoissonAvailability { ArrivalsPerSecond = 1 + random.NextInt(20), StaySeconds = 5 },
        };
        availability = availability with { WhenLeaving = (Leaving)random.NextInt(silent ? 3 : 2) };
        ConnectivityOptions connectivity = random.NextInt(3) switch
        {
            0 => new InstantConnectivity(),
            1 => new ConstantConnectivity(),
            _ => new LogNormalConnectivity(),
        };
        connectivity = connectivity with
        {
            Dropout = random.NextInt(2) * 0.5 * random.NextDouble(),
            Departure = random.NextInt(3) == 0 ? 0.02 : 0,
            WhenDroppingOut = silent ? DroppingOut.Vanish : DroppingOut.Fail,
        };
        ResponsivenessOptions responsiveness = random.NextInt(4) switch
        {
            0 => new ConstantResponsiveness { Seconds = 1 },
            1 => new ExponentialResponsiveness { Mean = 2, Per = DrawScope.Task },
            2 => new LogNormalResponsiveness { Median = 1 },
            _ => new GroupsResponsiveness { Seconds = [1, 2, 4] },
        };
        SchedulerOptions scheduler = random.NextInt(2) == 0
            ? new BufferedOptions { Concurrency = goal + random.NextInt(20), AggregationGoal = goal, FlushPartial = random.NextInt(2) == 0 }
            : new SynchronousOptions
            {
                Cohort = goal,
                OverSelection = random.NextDouble() * ((double)count / goal - 1),
                RoundDeadline = random.NextInt(2) * 10,
                MinimumReports = random.NextInt(goal + 1),
            };
        var clients = new ClientsOptions
        {
            Count = count,
            Availability = availability,
            Connectivity = connectivity,
            Responsiveness = responsiveness,
            Completeness = random.NextInt(2) == 0 ? new FullCompleteness() : new UniformCompleteness(),
        };
        return (scheduler, clients, new RunOptions
        {
            Seed = seed,
            ClientTimeout = silent ? 8 : random.NextInt(2) * 5,
            CoolDown = random.NextInt(2) * 3,
            MaxStaleness = random.NextInt(3) - 1 + random.NextInt(4),
            OnStale = (StalenessPolicy)random.NextInt(2),
            Stop = new StopOptions { Versions = 50, Seconds = 86400 },
        });
    }
}

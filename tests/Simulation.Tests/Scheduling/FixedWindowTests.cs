using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Simulation.Results;
using Federated.Simulation.Tests.Engine;

namespace Federated.Simulation.Tests.Scheduling;

public sealed class FixedWindowTests
{
    /// <summary>The paper's F-80 clock for three clients: T = 1, 0.6, 0.2 seconds.</summary>
    private static readonly ClientsOptions ThreeClients = new()
    {
        Count = 3,
        Responsiveness = new TableResponsiveness { Rows = [[1.0], [0.6], [0.2]], Unit = DurationUnit.Task },
    };

    [Theory]
    [InlineData(0.2, 5 / 3.0, 1.0, 1 / 3.0)]
    [InlineData(0.5, 2 / 3.0, 2 / 3.0, 1 / 3.0)]
    [InlineData(0.8, 2 / 3.0, 1 / 3.0, 1 / 3.0)]
    public void CorrectedWeightsAreThePapersOnceEveryWindowHasAnArrival(double window, double slow, double middle, double fast)
    {
        // The paper counts windows, we count aggregates: the fast client arrives in every window, so that both are the same.
        var weights = Weights(window);
        Assert.Equal(slow, weights[0], 9);
        Assert.Equal(middle, weights[1], 9);
        Assert.Equal(fast, weights[2], 9);
    }

    [Theory]
    [InlineData(0.2)]
    [InlineData(0.5)]
    [InlineData(0.8)]
    public void EachClientsWeightAveragesToItsShare(double window)
    {
        var record = Run(window, new ParticipationWeight(UpdateWeight.Equal), versions: 300);
        for (var client = 0; client < 3; client++)
        {
            var mean = record.Updates.Where(u => u.Outcome == UpdateOutcome.Accepted && u.Client == client).Sum(u => u.Weight) / 300;
            Assert.InRange(mean, (1 / 3.0) - (2 / 300.0), (1 / 3.0) + (2 / 300.0));
        }
    }

    [Fact]
    public void AWindowAsLongAsTheSlowestIsFedAvg()
    {
        var record = Run(1.0, UpdateWeight.ByExamples, versions: 20);
        Assert.All(record.Versions, v => Assert.Equal((3, 0.0), (v.Updates, v.MeanStaleness)));
        Assert.Equal(Enumerable.Range(1, 20).Select(i => (double)i), record.Versions.Select(v => v.VirtualSeconds));
    }

    private static double[] Weights(double window)
    {
        var record = Run(window, new ParticipationWeight(UpdateWeight.Equal), versions: 40);
        return [.. Enumerable.Range(0, 3).Select(c => record.Updates.Last(u => u.Client == c && u.Outcome == UpdateOutcome.Accepted).Weight)];
    }

    private static Recorder Run(double window, IUpdateWeight weight, int versions)
    {
        var options = new RunOptions { EvaluateEvery = 0, Stop = new StopOptions { Versions = versions } };
        var scheduler = new FixedWindowScheduler(new FixedWindowOptions { Window = window }, new FixedWork(LocalWork.OfSteps(1)), weight);
        var record = new Recorder();
        using var workload = new TimelineWorkload(_ => 100, 10, 0);
        new Simulator(new RunMachine(options, scheduler), options, new Fleet(ThreeClients, 3, 1), workload, record, TimeProvider.System)
            .Run(CancellationToken.None);
        return record;
    }
}

public sealed class ParticipationWeightTests
{
    [Fact]
    public void ImmediateAggregationGetsTheCorrectedAsynchronousWeights()
    {
        // d_i = (Σ 1/T_j)·T_i·p_i with T = (1, 0.6, 0.2): 2.5556, 1.5333, 0.5111 on average.
        var options = new RunOptions { EvaluateEvery = 0, Stop = new StopOptions { Versions = 2300 } };
        var scheduler = new BufferedScheduler(
            new BufferedOptions { Concurrency = 3, AggregationGoal = 1 }, new FixedWork(LocalWork.OfSteps(1)), new ParticipationWeight(UpdateWeight.Equal));
        var record = new Recorder();
        using var workload = new TimelineWorkload(_ => 100, 10, 0);
        var clients = new ClientsOptions
        {
            Count = 3,
            Responsiveness = new TableResponsiveness { Rows = [[1.0], [0.6], [0.2]], Unit = DurationUnit.Task },
        };
        new Simulator(new RunMachine(options, scheduler), options, new Fleet(clients, 3, 1), workload, record, TimeProvider.System)
            .Run(CancellationToken.None);
        double[] expected = [2.555555556, 1.533333333, 0.5111111111];
        for (var client = 0; client < 3; client++)
        {
            var mean = record.Updates.Where(u => u.Client == client && u.Outcome == UpdateOutcome.Accepted).Skip(1).Average(u => u.Weight);
            Assert.InRange(mean, expected[client] * 0.98, expected[client] * 1.02); // Versions per turn alternate between neighbours.
        }
    }
}

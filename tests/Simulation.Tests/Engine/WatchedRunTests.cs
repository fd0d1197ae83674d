using Federated.Coordinator.Models;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;
using Federated.Simulation.Configuration;
using Federated.Simulation.Engine;
using Federated.Simulation.Results;

namespace Federated.Simulation.Tests.Engine;

/// <summary>What an observer is told, and that being watched changes nothing.</summary>
public class WatchedRunTests
{
    private const string Compass = """
        name: watched
        seed: 3
        threads: 1
        data: { source: { kind: drawn-digits, writers: 5, trainPerWriter: 40, testPerWriter: 10, size: 12 } }
        model: { kind: mlp, hidden: [8] }
        training: { kind: local, batchSize: 10, optimizer: { kind: sgd, learningRate: 0.1 } }
        strategy: { scheduler: { kind: compass, minSteps: 2, maxSteps: 10 }, aggregator: { kind: mean, normalisation: none } }
        run: { stop: { versions: 20 } }
        clients: { responsiveness: { kind: lognormal, median: 0.3, sigma: 0.1, per: task, speedSpread: 0.8 } }
        """;

    [Fact]
    public void AWatchedRunMakesTheSameModel()
    {
        var (unseen, seen) = (Run(null).Summary, Run(new Witness()).Summary);
        Assert.Equal(unseen.ModelSha256, seen.ModelSha256);
    }

    [Fact]
    public void EveryAssignmentIsToldFromItsDispatchToItsEnd()
    {
        var witness = new Witness();
        Run(witness);
        Assert.Equal(witness.Dispatched.Order(), witness.Ended.Order());
        Assert.Subset(witness.Dispatched.ToHashSet(), witness.Arrived.ToHashSet());
    }

    [Fact]
    public void GroupsOpenAndCloseWithTheVersionThatTheyBecame()
    {
        var witness = new Witness();
        Run(witness);
        var closed = witness.Groups.Where(g => g.Version > 0).ToList();
        Assert.NotEmpty(closed);
        Assert.All(closed, g => Assert.True(g.Opened <= g.Closed && g.Expected <= g.Latest && g.Arrived <= g.Members.Count, g.ToString()));
        Assert.Equal(closed.Count, closed.Select(g => g.Version).Distinct().Count());
    }

    [Theory]
    [InlineData(5)]
    [InlineData(3)]
    public void ARoundsMembersAreThoseWhoWereInvited(int cohort)
    {
        var witness = new Witness();
        Run(witness, $"strategy={{ scheduler: {{ kind: synchronous, cohort: {cohort} }}, aggregator: {{ kind: mean }} }}", "run.stop.versions=4");
        var closed = witness.Groups.Where(g => g.Version > 0).ToList();
        Assert.Equal(4, closed.Count);
        Assert.All(closed, g => Assert.Equal(cohort, g.Members.Distinct().Count()));
    }

    [Fact]
    public void UpdatesAndVersionsAreMeasuredWhereAnObserverWantsIt()
    {
        var witness = new Witness();
        Run(witness);
        Assert.NotEmpty(witness.Norms);
        Assert.NotEmpty(witness.Measures);
        Assert.All(witness.Norms, norm => Assert.True(norm > 0));
        Assert.All(witness.Measures, m => Assert.True(m.StepNorm > 0 && m.Agreement is > -1 and <= 1.0001, m.ToString()));
    }

    private static ExperimentResult Run(ISimulationObserver? observer, params string[] sets) =>
        Experiment.Prepare(ConfigurationFile.Read<ExperimentConfiguration>(Compass, "watched.yaml", sets).Value!, "data").Run(observer, TimeProvider.System, CancellationToken.None);

    private sealed class Witness : ISimulationObserver
    {
        public List<long> Dispatched { get; } = [];

        public List<long> Arrived { get; } = [];

        public List<long> Ended { get; } = [];

        public List<GroupFact> Groups { get; } = [];

        public List<double> Norms { get; } = [];

        public List<AggregateMeasures> Measures { get; } = [];

        public bool WantsMeasures => true;

        public void OnGroup(GroupFact group) => Groups.Add(group);

        public void OnDispatch(Assignment assignment) => Dispatched.Add(assignment.Id.Value);

        public void OnArrival(Assignment assignment, double time) => Arrived.Add(assignment.Id.Value);

        public void OnVersion(in VersionPublished version) => Measures.Add(version.Measures);

        public void OnUpdate(in UpdateRow row)
        {
            Ended.Add(row.Assignment);
            if (row.Weight > 0)
            {
                Norms.Add(row.Norm);
            }
        }
    }
}

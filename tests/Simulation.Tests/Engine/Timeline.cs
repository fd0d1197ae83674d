using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Protocol;
using Federated.Simulation.Devices;
using Federated.Simulation.Engine;
using Federated.Simulation.Results;

namespace Federated.Simulation.Tests.Engine;

/// <summary>Runs without training, for tests of the clock and the books.</summary>
internal static class Timeline
{
    public static (SimulationOutcome Outcome, Recorder Record) Run(
        SchedulerOptions scheduler, ClientsOptions clients, RunOptions options, LocalWork? work = null, long modelBytes = 0)
    {
        var record = new Recorder();
        var machine = new RunMachine(
            options, Schedulers.Create(scheduler, new FixedWork(work ?? LocalWork.OfSteps(1)), UpdateWeight.Equal));
        using var workload = new TimelineWorkload(_ => 100, 10, modelBytes);
        var outcome = new Simulator(machine, options, new Fleet(clients, clients.Count, options.Seed), workload, record, TimeProvider.System)
            .Run(CancellationToken.None);
        return (outcome, record);
    }
}

/// <summary>Keeps everything that an observer is told.</summary>
internal sealed class Recorder : ISimulationObserver
{
    public List<VersionPublished> Versions { get; } = [];

    public List<MetricsRow> Evaluations { get; } = [];

    public List<UpdateRow> Updates { get; } = [];

    public void OnVersion(in VersionPublished version) => Versions.Add(version);

    public void OnEvaluation(MetricsRow row) => Evaluations.Add(row);

    public void OnUpdate(in UpdateRow row) => Updates.Add(row);
}

using Federated.Coordinator.Scheduling;
using Federated.Protocol;
using Federated.Simulation.Results;

namespace Federated.Simulation.Engine;

/// <summary>Counts every client's accepted local steps, for baselines that train as much; passes everything on.</summary>
internal sealed class StepCounter(ISimulationObserver? next, int clients) : ISimulationObserver
{
    public long[] PerClient { get; } = new long[clients];

    public bool WantsMeasures => next?.WantsMeasures ?? false;

    public void OnGroup(GroupFact group) => next?.OnGroup(group);

    public void OnDispatch(Assignment assignment) => next?.OnDispatch(assignment);

    public void OnArrival(Assignment assignment, double time) => next?.OnArrival(assignment, time);

    public void OnVersion(in VersionPublished version) => next?.OnVersion(version);

    public void OnEvaluation(MetricsRow row) => next?.OnEvaluation(row);

    public void OnUpdate(in UpdateRow row)
    {
        if (row.Outcome == UpdateOutcome.Accepted)
        {
            PerClient[row.Client] += row.LocalSteps;
        }

        next?.OnUpdate(row);
    }

    public void OnProgress(in SimulationProgress progress) => next?.OnProgress(progress);
}

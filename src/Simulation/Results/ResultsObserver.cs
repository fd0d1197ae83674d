using Federated.Simulation.Engine;

namespace Federated.Simulation.Results;

/// <summary>Streams a run's evaluations and updates into its folder.</summary>
public sealed class ResultsObserver(ResultsFolder folder) : ISimulationObserver
{
    public void OnEvaluation(MetricsRow row)
    {
        folder.Metrics.Write(row);
        folder.Updates?.Flush();
    }

    public void OnUpdate(in UpdateRow row) => folder.Updates?.Write(row);
}

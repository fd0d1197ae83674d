using Federated.Coordinator.Runs;
using Federated.Simulation.Results;

namespace Federated.Simulation.Engine;

/// <summary>How a simulation ended: the timeline's part of a run's summary.</summary>
/// <param name="Events">Events taken from the queue.</param>
/// <param name="Participation">Effective against intended weights; null where they were not measured.</param>
/// <param name="TimeToTargetSeconds">Virtual seconds until the target accuracy was reached; NaN when it was not.</param>
public sealed record SimulationOutcome(
    FinishReason Reason,
    string Detail,
    int Versions,
    RunCounters Counters,
    double VirtualSeconds,
    double WallSeconds,
    long Events,
    long BytesUp,
    long BytesDown,
    double FinalAccuracy,
    double FinalLoss,
    double BestAccuracy,
    double TimeToTargetSeconds,
    ParticipationSummary? Participation);

using System.Diagnostics;
using Federated.Privacy;
using Federated.Privacy.Statements;
using Federated.Simulation.Devices;
using Federated.Simulation.Results;

namespace Federated.Simulation.Engine;

/// <summary>A prepared experiment behind its number format.</summary>
internal interface IExperimentRun
{
    /// <summary>What the run can cost a client at most, under its privacy policy; null when nothing bounds it, or there is none.</summary>
    PrivacyGuarantee? PlannedPrivacy => null;

    /// <summary>What the run says about privacy before it begins; null in a run without a policy.</summary>
    PrivacyStatement? Statement => null;

    ExperimentResult Run(Fleet fleet, ISimulationObserver? observer, TimeProvider clock, CancellationToken cancellation);
}

/// <summary>From a simulation's outcome to the run's summary.</summary>
internal static class Summaries
{
    public static RunSummary Summarize(this SimulationOutcome outcome, Experiment experiment, string strategy)
    {
        using var process = Process.GetCurrentProcess();
        return new RunSummary
        {
            Run = experiment.Configuration.Name,
            Seed = experiment.Configuration.Seed,
            Strategy = strategy,
            Clients = experiment.ClientCount,
            Versions = outcome.Versions,
            Accepted = outcome.Counters.Accepted,
            Rejected = outcome.Counters.Rejected,
            Lost = outcome.Counters.Lost,
            Dispatched = outcome.Counters.Dispatched,
            FinalAccuracy = outcome.FinalAccuracy,
            BestAccuracy = outcome.BestAccuracy,
            FinalLoss = outcome.FinalLoss,
            TimeToTargetSeconds = outcome.TimeToTargetSeconds,
            VirtualSeconds = outcome.VirtualSeconds,
            WallSeconds = outcome.WallSeconds,
            PeakRssBytes = process.PeakWorkingSet64,
            BytesUp = outcome.BytesUp,
            BytesDown = outcome.BytesDown,
            FinishReason = Words.Of(outcome.Reason),
            FinishDetail = outcome.Detail,
            Events = outcome.Events,
            Participation = outcome.Participation,
        };
    }
}

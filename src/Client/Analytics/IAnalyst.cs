using Federated.Privacy.Analytics;

namespace Federated.Client.Analytics;

/// <summary>What a device brings to a run that asks a question: its own answer. Randomising, counting and sending it are the session's.</summary>
/// <remarks>
/// Called at most once a run, on a thread of the session's choosing. The answer never leaves the device: one ε₀-private report of it does. Whatever an
/// analyst throws ends the assignment with that reason. A trainer that also implements this interface serves runs of both kinds.
/// </remarks>
public interface IAnalyst
{
    /// <summary>The answer to <see cref="AnalysisOptions.Question"/>; null to keep out of it.</summary>
    AnalysisAnswer? Answer(AnalysisOptions question, CancellationToken cancellation);
}

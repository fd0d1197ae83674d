using Federated.Protocol.Shuffling;
using Federated.Shuffler.Batches;

namespace Federated.Shuffler;

/// <summary>A shuffler as its front door reaches it: in this process, or one that several processes of its operator share. Thread-safe.</summary>
public interface IShuffler : IAsyncDisposable
{
    /// <summary>What is told to the outside: totals as of the last batch that was over.</summary>
    ShufflerTotals Totals { get; }

    /// <summary>Why the last delivery failed; empty when it did not.</summary>
    string Trouble { get; }

    /// <summary>Whether reports can be taken now.</summary>
    bool IsReady { get; }

    /// <inheritdoc cref="ShufflerService.TakeAsync"/>
    Task<ReportOutcome?> TakeAsync(HeldReport report);

    /// <inheritdoc cref="ShufflerService.TakeBatchAsync"/>
    Task<bool?> TakeBatchAsync(string id, ShuffleTicket terms, IReadOnlyList<HeldReport> reports);
}

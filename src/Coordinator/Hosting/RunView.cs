using System.Collections.Immutable;
using Federated.Coordinator.Runs;

namespace Federated.Coordinator.Hosting;

/// <summary>A run as others may see it: made after every group of events, never changed, read without a lock.</summary>
public sealed record RunView
{
    public required HostState Host { get; init; }

    /// <summary>Why the run is not open; empty when it is.</summary>
    public string Problem { get; init; } = "";

    public RunStatus Status { get; init; }

    /// <summary>Seconds on the run's clock, at its last event.</summary>
    public double Now { get; init; }

    /// <summary>Events so far.</summary>
    public long Sequence { get; init; }

    public int Version { get; init; }

    public int BestVersion { get; init; } = -1;

    /// <summary>NaN before any evaluation.</summary>
    public double BestAccuracy { get; init; } = double.NaN;

    /// <summary>What the run has cost the client that it cost most, as of the last version; null in a run without privacy.</summary>
    public Federated.Privacy.PrivacyGuarantee? Spent { get; init; }

    public RunCounters Counters { get; init; }

    public int Clients { get; init; }

    /// <summary>Clients that checked in and wait for work.</summary>
    public int WaitingClients { get; init; }

    /// <summary>Check-ins that are connected and wait.</summary>
    public int LongPolls { get; init; }

    /// <summary>Why and how the run ended; null while it has not.</summary>
    public (FinishReason Reason, string Detail)? Ended { get; init; }

    /// <summary>The versions that can be downloaded.</summary>
    public ImmutableSortedDictionary<int, VersionBlobs> Versions { get; init; } = ImmutableSortedDictionary<int, VersionBlobs>.Empty;

    /// <summary>What the run was saved with beside parameters; null when a branch could not go on from it.</summary>
    public SavedState? Saved { get; init; }

    /// <summary>Requests that wait for the loop.</summary>
    public int MailboxDepth { get; init; }
}

/// <summary>How a run's host stands.</summary>
public enum HostState
{
    /// <summary>Loading, or opening again after the store failed.</summary>
    Opening,

    Open,

    /// <summary>Something is wrong that opening again will not mend, a defect or a configuration that this build cannot run; the problem says what.</summary>
    Failed,

    /// <summary>Another host writes this run.</summary>
    Fenced,

    Closed,

    /// <summary>What is stored of the run does not check, and nothing of it was changed; the problem says what to restore.</summary>
    Damaged,
}

internal static class HostStates
{
    /// <summary>What a request to a run in such a state comes to.</summary>
    public static HostOutcome Outcome(this HostState state) => state switch
    {
        HostState.Open => HostOutcome.Done,
        HostState.Opening => HostOutcome.Unavailable,
        HostState.Failed or HostState.Damaged => HostOutcome.Failed,
        _ => HostOutcome.Closed,
    };

    /// <summary>Whether nobody but an operator gets the run going again.</summary>
    public static bool IsUnreadable(this HostState state) => state is HostState.Failed or HostState.Damaged;
}

using System.ComponentModel.DataAnnotations;

namespace Federated.Coordinator.Hosting;

/// <summary>How a run is hosted: nothing here changes what it computes.</summary>
public sealed record RunHostOptions
{
    public DurabilityOptions Durability { get; init; } = new();

    /// <summary>Requests that may wait for the run's loop; more are told to come back later.</summary>
    /// <value>The default is 65536. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int MailboxCapacity { get; init; } = 1 << 16;

    /// <summary>Most events that one sync makes durable together.</summary>
    /// <value>The default is 4096. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int GroupSize { get; init; } = 4096;

    /// <summary>Seconds for which a client that asked and got nothing keeps its place without asking again.</summary>
    /// <value>The default is 30. Must be above 0.</value>
    [Range(0.001, double.MaxValue)]
    public double AbsenceGrace { get; init; } = 30;

    /// <summary>Seconds after opening before which no deadline passes: clients that worked on while the coordinator was down can still send.</summary>
    /// <value>The default is 30. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double RecoveryGrace { get; init; } = 30;

    /// <summary>Versions that may wait for their evaluation; beyond that the oldest waiting one is not evaluated.</summary>
    /// <value>The default is 16. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int EvaluationBacklog { get; init; } = 16;

    /// <summary>Longest pause, in seconds, between two attempts to open a run again whose store failed.</summary>
    /// <value>The default is 30. Must be above 0.</value>
    [Range(0.001, double.MaxValue)]
    public double LongestRetry { get; init; } = 30;

    /// <summary>
    /// Bytes of updates from a remote store that may be in memory between being checked and being counted, over all runs of this process, so that
    /// no run's loop waits for the store. What does not fit is read again by the loop, piece by piece.
    /// </summary>
    /// <value>The default is 128 MiB. Must be 0 (every update is read by the loop) or more.</value>
    [Range(0, long.MaxValue)]
    public long ReadAheadBytes { get; init; } = 128 << 20;
}

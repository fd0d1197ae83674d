using System.Collections.Immutable;
using Federated.Protocol;

namespace Federated.Coordinator.Runs;

/// <summary>An input of the run machine. It carries its own time, in seconds on the run's clock; the machine reads no other clock.</summary>
public abstract record RunEvent(double Time);

/// <summary>The run begins (its first event).</summary>
public sealed record RunStarted(double Time) : RunEvent(Time);

/// <summary>A client enrolled in this run. Ids are given in ascending order, from 0.</summary>
/// <param name="Examples">n_i as the client told it; 0 when unknown.</param>
public sealed record ClientJoined(double Time, ClientId Client, double Examples) : RunEvent(Time);

/// <summary>A client says it is available for an assignment.</summary>
public sealed record CheckIn(double Time, ClientId Client) : RunEvent(Time);

/// <summary>A client that had checked in is available no longer (it went offline, or its long poll ended).</summary>
public sealed record CheckOut(double Time, ClientId Client) : RunEvent(Time);

/// <summary>An update is durable and verified.</summary>
/// <param name="Ready">The client is available for its next assignment at once, as if it checked in after this event.</param>
public sealed record UpdateArrived(double Time, AssignmentId Assignment, ClientId Client, UpdateReport Report, bool Ready) : RunEvent(Time);

/// <summary>
/// Updates of several clients, durable and verified, that only count together: those of a shuffled batch, or of a securely aggregated cohort.
/// The machine takes them one after the other, each as if it had come alone; one record of the log holds them, so that a crash finds all or none.
/// </summary>
/// <param name="Group">Names the group in its run; a group that comes again changes nothing and is answered as it was.</param>
/// <param name="Members">In the order in which they count; at their times nobody looks.</param>
public sealed record GroupArrived(double Time, string Group, ImmutableArray<UpdateArrived> Members) : RunEvent(Time)
{
    private Dictionary<AssignmentId, UpdateArrived>? byAssignment;

    /// <summary>The update of an assignment; null when it is not in the group.</summary>
    public UpdateArrived? Find(AssignmentId assignment) =>
        (byAssignment ??= Members.DistinctBy(m => m.Assignment).ToDictionary(m => m.Assignment)).GetValueOrDefault(assignment);
}

/// <summary>A client gives an assignment up, with its reason.</summary>
public sealed record AssignmentFailed(double Time, AssignmentId Assignment, ClientId Client, string Reason) : RunEvent(Time);

/// <summary>The host knows that a client is gone for good, with whatever it had in hand.</summary>
public sealed record ClientLost(double Time, ClientId Client) : RunEvent(Time);

/// <summary>A deadline that the machine armed has passed. Deadlines that no longer matter are ignored.</summary>
public sealed record DeadlinePassed(double Time, Deadline Deadline) : RunEvent(Time);

/// <summary>The evaluation of a published version is there.</summary>
public sealed record EvaluationArrived(double Time, int Version, double Accuracy, double Loss) : RunEvent(Time);

/// <summary>The host knows that nothing more can happen by itself: a simulation whose clients are all gone.</summary>
public sealed record RunStalled(double Time) : RunEvent(Time);

/// <summary>An operator pauses, resumes or stops the run.</summary>
public sealed record OperatorCommand(double Time, OperatorAction Action, string Reason) : RunEvent(Time);

/// <summary>What an operator asks of a run.</summary>
public enum OperatorAction
{
    /// <summary>Give out nothing until it is resumed.</summary>
    Pause,

    /// <summary>Go on after a pause.</summary>
    Resume,

    /// <summary>End for good, at the version that is there.</summary>
    Stop,
}

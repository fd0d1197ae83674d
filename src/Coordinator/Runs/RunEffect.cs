using System.Collections.Immutable;
using Federated.Protocol;

namespace Federated.Coordinator.Runs;

/// <summary>
/// An output of the run machine: what its host has to do, in order. Effects hold no decision of the host's; after a crash they are
/// derived again from the machine's state.
/// </summary>
public abstract record RunEffect;

/// <summary>Give the client this assignment: at once if it waits, else at its next check-in.</summary>
public sealed record Dispatch(Assignment Assignment) : RunEffect;

/// <summary>Tell the client to wait, why, and until when at most.</summary>
public sealed record Wait(ClientId Client, WaitReason Reason) : RunEffect;

/// <summary>An update was accepted: acknowledge it and keep its blob until it is combined.</summary>
public sealed record Accepted(Assignment Assignment, int Staleness) : RunEffect;

/// <summary>An assignment ended without an accepted update, or an arrival could not be taken.</summary>
/// <param name="Assignment">Null when the arrival names no assignment of this run in flight; nothing is counted then.</param>
public sealed record Rejected(AssignmentId Id, ClientId Client, Assignment? Assignment, Rejection Reason, string Detail) : RunEffect;

/// <summary>What became of a group of updates. It follows the effects of its members.</summary>
/// <param name="Again">The group had come before, and this is what was answered then.</param>
public sealed record GroupSettled(string Group, ImmutableArray<MemberOutcome> Members, bool Again) : RunEffect;

/// <summary>What became of one update of a group.</summary>
/// <param name="Refused">Null when it was accepted.</param>
public readonly record struct MemberOutcome(AssignmentId Assignment, Rejection? Refused);

/// <summary>An assignment is lost: its deadline passed, or the client failed or vanished.</summary>
public sealed record Lost(Assignment Assignment, LossReason Reason, string Detail) : RunEffect;

/// <summary>Tell the client to stop working on this assignment; it has been settled already.</summary>
public sealed record Cancel(Assignment Assignment, string Reason) : RunEffect;

/// <summary>Post <see cref="DeadlinePassed"/> at <paramref name="Time"/> (seconds on the run's clock).</summary>
public sealed record ArmDeadline(Deadline Deadline, double Time) : RunEffect;

/// <summary>Fold an accepted update into the open aggregate.</summary>
/// <param name="Weight">Example weight × staleness weight, as the scheduler gives it, before the aggregator's normalisation.</param>
/// <param name="Basis">Whether the delta counts against its base version or against the current version.</param>
public sealed record Accumulate(Assignment Assignment, UpdateReport Report, double Weight, int Staleness, DeltaBasis Basis) : RunEffect;

/// <summary>Combine the open aggregate, step the server optimizer, and make the result <paramref name="Version"/>.</summary>
/// <param name="Count">Updates in the aggregate.</param>
public sealed record Publish(int Version, int Count) : RunEffect;

/// <summary>Evaluate this version and post <see cref="EvaluationArrived"/>.</summary>
public sealed record RequestEvaluation(int Version) : RunEffect;

/// <summary>The run is over.</summary>
public sealed record Finish(FinishReason Reason, string Detail) : RunEffect;

/// <summary>The operator's command, the pause or the resumption, took effect.</summary>
public sealed record StatusChanged(RunStatus Status) : RunEffect;

/// <summary>What an update's delta is taken from.</summary>
public enum DeltaBasis
{
    /// <summary>u_i = y_i − w^b, as the client sent it.</summary>
    BaseVersion,

    /// <summary>y_i − w^t: the update is counted against the model it will be applied to (FedAsync, FedCompass in model mode).</summary>
    CurrentVersion,
}

/// <summary>Why an update is not used; told to its client.</summary>
public enum Rejection
{
    /// <summary>No such assignment in this run.</summary>
    Unknown,

    /// <summary>Another client's assignment.</summary>
    NotYours,

    /// <summary>This assignment's update was accepted before.</summary>
    Duplicate,

    /// <summary>The assignment had been lost or cancelled before the update came.</summary>
    TooLate,

    /// <summary>τ above the run's bound.</summary>
    Stale,

    /// <summary>NaN or infinity in the update or its counts.</summary>
    NotFinite,

    /// <summary>The report contradicts itself (negative counts, no step done).</summary>
    Malformed,

    /// <summary>The round closed without it (over-selection or deadline).</summary>
    RoundClosed,

    /// <summary>The run was over.</summary>
    RunOver,
}

/// <summary>Why no update came for an assignment.</summary>
public enum LossReason
{
    /// <summary>Its lease ended.</summary>
    DeadlinePassed,

    /// <summary>Its client gave it up.</summary>
    ClientFailed,

    /// <summary>Its client is gone.</summary>
    ClientLost,

    /// <summary>The run ended first.</summary>
    RunOver,
}

/// <summary>Where a run stands.</summary>
public enum RunStatus
{
    /// <summary>Nothing is given out yet.</summary>
    Created,

    /// <summary>Clients are given work.</summary>
    Running,

    /// <summary>An operator holds it: nothing is given out, what is under way is taken.</summary>
    Paused,

    /// <summary>Over, for good.</summary>
    Finished,
}

/// <summary>Why a run is over: the first that held.</summary>
public enum FinishReason
{
    /// <summary>The versions asked for are published.</summary>
    Versions,

    /// <summary>The client updates asked for are accepted.</summary>
    ClientUpdates,

    /// <summary>Its time is over.</summary>
    Time,

    /// <summary>An evaluation was as good as asked for.</summary>
    TargetReached,

    /// <summary>Evaluations did not become better for as long as it was to wait.</summary>
    NoImprovement,

    /// <summary>The loss is no number, or too far above what it had been.</summary>
    Diverged,

    /// <summary>An operator stopped it.</summary>
    Operator,

    /// <summary>Nothing more could happen by itself.</summary>
    Stalled,

    /// <summary>Privacy: the next step would cost more than it may.</summary>
    Budget,
}

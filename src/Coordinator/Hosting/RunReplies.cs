using System.Collections.Immutable;
using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Hosting;

/// <summary>What became of a request to a run's host, before any decision of the run.</summary>
public enum HostOutcome
{
    /// <summary>Durable and handled.</summary>
    Done,

    /// <summary>Too many requests wait; come back later. Nothing was done.</summary>
    Busy,

    /// <summary>The store failed, or the run is being opened: come back later. It is not known whether the event counts; repeating it is safe.</summary>
    Unavailable,

    /// <summary>This host is closing, or another one owns the run: ask again, perhaps elsewhere.</summary>
    Closed,

    /// <summary>The run is damaged, or has failed for good: nothing was done, and only its operator can change that.</summary>
    Failed,
}

/// <summary>Reply to an event.</summary>
/// <param name="Effects">What the run decided upon it; empty unless done.</param>
/// <param name="RetryAfter">When to come back; zero when done.</param>
public readonly record struct Posted(HostOutcome Outcome, IReadOnlyList<RunEffect> Effects, TimeSpan RetryAfter);

/// <summary>Reply to a check-in.</summary>
public abstract record CheckInResult;

/// <summary>Work, with everything that goes down with it.</summary>
/// <param name="SecondsLeft">Until the lease ends; +∞ for no end.</param>
public sealed record Granted(Assignment Assignment, VersionBlobs Base, AssignmentTerms Terms, double SecondsLeft) : CheckInResult;

/// <summary>A version to evaluate on the client's own data.</summary>
public sealed record EvaluationWanted(int Version, BlobReference Model) : CheckInResult;

/// <summary>No work yet.</summary>
public sealed record Waiting(WaitReason Reason, TimeSpan RetryAfter) : CheckInResult;

/// <summary>The run is over.</summary>
public sealed record RunOver(FinishReason Reason, string Detail, int FinalVersion) : CheckInResult;

/// <summary>The host could not ask the run.</summary>
public sealed record NotAsked(HostOutcome Outcome, TimeSpan RetryAfter) : CheckInResult;

/// <summary>An update whose blobs are up, to be counted.</summary>
/// <param name="Report">What the client declared; the host finds out itself whether it is finite.</param>
/// <param name="Ready">The client is available for its next assignment at once.</param>
public sealed record UpdateSubmission(AssignmentId Assignment, ClientId Client, UpdateReport Report, bool Ready)
{
    /// <summary>Those of the report's blobs that are not in the store but here: digests checked, each at most <see cref="DurabilityOptions.InlineBytes"/> long.</summary>
    public ImmutableArray<InlineBlob> Inline { get; init; } = [];

    /// <summary>Those of the report's blobs that are in the store and here too, in memory that nobody writes: they need not be read. Of use in this process only.</summary>
    public ImmutableArray<InlineBlob> AtHand { get; init; } = [];

    /// <summary>Whether another process of this coordinator has looked at the blobs: they are of an update of this run's model, and the report says whether it is finite.</summary>
    public bool IsChecked { get; init; }
}

/// <summary>What became of an update.</summary>
public abstract record SubmitResult;

/// <summary>The update is durable and counted, once; also when it had been before.</summary>
/// <param name="Next">The client's next assignment or wait, when it said it was ready.</param>
public sealed record UpdateTaken(CheckInResult? Next) : SubmitResult;

/// <summary>The run refused the update, for good.</summary>
/// <param name="Next">The client's next assignment or wait, when it said it was ready.</param>
public sealed record UpdateRefused(Rejection Reason, string Detail, CheckInResult? Next) : SubmitResult;

/// <summary>These blobs are in neither store nor submission: upload them, then submit again.</summary>
public sealed record BlobsMissing(ImmutableArray<BlobReference> Blobs) : SubmitResult;

/// <summary>What was uploaded is no update of this run's model; nothing was counted and the assignment is still open.</summary>
public sealed record NotAnUpdate(string Problem) : SubmitResult;

/// <summary>The host could not ask the run.</summary>
public sealed record UpdateNotAsked(HostOutcome Outcome, TimeSpan RetryAfter) : SubmitResult;

/// <summary>What became of a group of updates.</summary>
public abstract record GroupResult;

/// <summary>The group is durable and its members are settled, once; also when it had come before.</summary>
/// <param name="Members">In the group's order.</param>
/// <param name="Again">It had come before, and this is what was answered then.</param>
public sealed record GroupTaken(ImmutableArray<MemberOutcome> Members, bool Again) : GroupResult;

/// <summary>Nothing was posted, since these members cannot be updates of this run's model.</summary>
public sealed record GroupUnsound(ImmutableArray<NotInGroup> Members) : GroupResult;

/// <summary>The host could not ask the run.</summary>
public sealed record GroupNotAsked(HostOutcome Outcome, TimeSpan RetryAfter) : GroupResult;

/// <summary>Why a member cannot be an update.</summary>
/// <param name="Problem">What is wrong with it; empty when blobs are missing.</param>
/// <param name="Missing">Its blobs that are in neither store nor submission.</param>
public sealed record NotInGroup(AssignmentId Assignment, string Problem, ImmutableArray<BlobReference> Missing);

/// <summary>How an assignment stands.</summary>
public enum AssignmentStanding
{
    /// <summary>It was never given out, or to somebody else.</summary>
    Unknown,

    /// <summary>It is in flight.</summary>
    Open,

    /// <summary>It ended without the client's doing: nobody will take its update.</summary>
    Cancelled,

    /// <summary>Its update came, or its client gave it up.</summary>
    Ended,

    /// <summary>In a shuffled run: it was given up, by its client or with a batch that was too small. What was sent for it is not used.</summary>
    Dropped,
}

/// <summary>Reply to a client that asks for its assignment.</summary>
/// <param name="SecondsLeft">Until the lease ends; +∞ for no end; 0 when it is not open.</param>
public readonly record struct AssignmentState(AssignmentStanding Standing, double SecondsLeft);

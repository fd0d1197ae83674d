using Federated.Coordinator.Hosting;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Scheduling;
using Federated.Coordinator.SecureAggregation;
using Federated.Protocol;
using Orleans.Concurrency;

namespace Federated.Coordinator.Orleans.Grains;

/// <summary>One run of the cluster; the key is its id. Everything is safe to repeat.</summary>
/// <remarks>
/// Weights never travel here: updates and models are named by digest and lie in the store that all silos share. <c>made</c> is when the run
/// that is meant was created (ticks, UTC): of a run that has been deleted, and its name given to another, nothing reaches that other one.
/// </remarks>
[Alias("fed.run")]
internal interface IRunGrain : IGrainWithStringKey
{
    /// <summary>Makes the run durable and starts it.</summary>
    /// <returns>Null, or why it was not created.</returns>
    [Alias("create")]
    Task<string?> CreateAsync([Immutable] byte[] configuration, [Immutable] BranchPoint? origin);

    /// <summary>Closes the run and deletes all that only it needs.</summary>
    /// <returns>False when there is no such run.</returns>
    [Alias("delete")]
    Task<bool> DeleteAsync();

    /// <returns>Null when there is no such run.</returns>
    [Alias("look")]
    Task<Looked?> LookAsync(long made);

    /// <returns>Null when the run is not open.</returns>
    [Alias("clients")]
    Task<ClientFacts[]?> ClientsAsync(long made);

    /// <returns>Null when the run is not here.</returns>
    [Alias("spending")]
    Task<RunSpending?> SpendingAsync(long made, int count);

    [Alias("find")]
    Task<ClientId?> FindAsync(long made, string member);

    /// <summary>A long poll, of at most <see cref="LongestCall"/>.</summary>
    [Alias("enter")]
    Task<Entered> EnterAsync(long made, string member, string name, double examples, TimeSpan wait, CancellationToken cancellation);

    [Alias("join")]
    Task<Joined> JoinAsync(long made, string member, double examples);

    /// <summary>A long poll, of at most <see cref="LongestCall"/>.</summary>
    [Alias("check-in")]
    Task<CheckInResult> CheckInAsync(long made, ClientId client, TimeSpan wait, CancellationToken cancellation);

    /// <summary>Check-ins of many clients, each answered at once.</summary>
    [Alias("check-in-many")]
    Task<CheckInResult[]> CheckInManyAsync(long made, [Immutable] ClientId[] clients);

    [Alias("submit")]
    Task<SubmitResult> SubmitAsync(long made, [Immutable] UpdateSubmission submission, CancellationToken cancellation);

    /// <inheritdoc cref="RunHost.SubmitGroupAsync"/>
    [Alias("submit-group")]
    Task<GroupResult> SubmitGroupAsync(long made, string group, [Immutable] UpdateSubmission[] members, CancellationToken cancellation);

    /// <summary>A long poll, of at most <see cref="LongestCall"/>.</summary>
    [Alias("watch")]
    Task<Watched> WatchAsync(long made, AssignmentId assignment, ClientId client, TimeSpan wait, CancellationToken cancellation);

    /// <summary>A step of a session of secure aggregation, or a part of one; the session is where the run is.</summary>
    /// <param name="length">Bytes of the whole body.</param>
    /// <param name="offset">Where the part begins; the last part is answered as the step.</param>
    /// <returns>Null when the run is not here.</returns>
    [Alias("take-step")]
    Task<Stepped?> TakeStepAsync(long made, ClientId client, AssignmentId assignment, string step, int length, int offset, [Immutable] byte[] part);

    /// <summary>A long poll, of at most <see cref="LongestCall"/>.</summary>
    /// <param name="after">The phase that the session is to be past; empty for none.</param>
    /// <returns>As members read it (JSON); null when the run is not here.</returns>
    [Alias("sum-state")]
    Task<byte[]?> SumStateAsync(long made, ClientId client, AssignmentId assignment, string after, TimeSpan wait, CancellationToken cancellation);

    /// <returns>As people read them (JSON); null when the run is not here.</returns>
    [Alias("sum-facts")]
    Task<byte[]?> SumFactsAsync(long made);

    /// <returns>What an analysis has found, as people read it (JSON); empty when nothing yet, null when the run is not here.</returns>
    [Alias("analysis")]
    Task<byte[]?> AnalysisAsync(long made);

    /// <param name="runEvent">In the log's form.</param>
    [Alias("post")]
    Task<Posted> PostAsync(long made, [Immutable] byte[] runEvent);

    [Alias("report")]
    Task<Posted> ReportAsync(long made, int version, ClientScore score);

    [Alias("save")]
    Task<Posted> SaveAsync(long made);

    /// <summary>The digests of the blobs that the run needs; null when that is not known now.</summary>
    [Alias("referenced")]
    Task<string[]?> ReferencedBlobsAsync(long made);

    /// <summary>Sends what happens from here on to an observer, until a minute after it last asked for that.</summary>
    /// <param name="have">What the observer has.</param>
    /// <returns>What it lacks, or some of it; null when the run is not here.</returns>
    [Alias("follow")]
    Task<RunNews?> FollowAsync(long made, IRunObserver observer, [Immutable] NewsMark have);

    [Alias("unfollow")]
    Task UnfollowAsync(IRunObserver observer);

    /// <summary>Longest wait of one call; well under the cluster's response timeout, so that a long poll is several calls.</summary>
    static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(15);
}

/// <summary>Gets what happens in a run, on a silo that serves it.</summary>
[Alias("fed.run-observer")]
internal interface IRunObserver : IGrainObserver
{
    /// <summary>At most ten times a second. What is lost on the way shows as a gap, and is asked for again.</summary>
    [OneWay, Alias("news")]
    Task NewsAsync([Immutable] RunNews news);

    /// <summary>The run has been deleted.</summary>
    [Alias("gone")]
    Task GoneAsync(long made);
}

/// <summary>Where a branched run comes from, and, as the catalog writes it, what that had cost; null from a silo of an older build.</summary>
[GenerateSerializer, Immutable, Alias("fed.branch-point")]
internal sealed record BranchPoint([property: Id(0)] string Run, [property: Id(1)] int Version, [property: Id(2)] BlobReference Model, [property: Id(3)] byte[]? Inherited)
{
    /// <summary>State of the server optimizer; null where it begins anew.</summary>
    [Id(4)]
    public BlobReference? Optimizer { get; init; }
}

/// <summary>A run as it is now.</summary>
[GenerateSerializer, Immutable, Alias("fed.looked")]
internal sealed record Looked([property: Id(0)] RunView View, [property: Id(1)] int Lobby);

/// <summary>Reply to a client that waits for others.</summary>
[GenerateSerializer, Immutable, Alias("fed.entered")]
internal readonly record struct Entered([property: Id(0)] HostOutcome Outcome, [property: Id(1)] int Missing);

/// <summary>Reply to a join.</summary>
[GenerateSerializer, Immutable, Alias("fed.joined")]
internal readonly record struct Joined([property: Id(0)] HostOutcome Outcome, [property: Id(1)] ClientId Client, [property: Id(2)] TimeSpan RetryAfter);

/// <summary>Reply to a client that asks for its assignment.</summary>
[GenerateSerializer, Immutable, Alias("fed.watched")]
internal readonly record struct Watched([property: Id(0)] HostOutcome Outcome, [property: Id(1)] AssignmentState State);

/// <summary>What became of a step, or of a part of one.</summary>
[GenerateSerializer, Immutable, Alias("fed.stepped")]
internal readonly record struct Stepped([property: Id(0)] StepVerdict Verdict, [property: Id(1)] string Detail);

/// <summary>How far a follower has come: evaluations and clients that it knows.</summary>
[GenerateSerializer, Immutable, Alias("fed.news-mark")]
internal readonly record struct NewsMark([property: Id(0)] int Metrics, [property: Id(1)] int Names);

/// <summary>What is new in a run.</summary>
/// <param name="From">Where <paramref name="Metrics"/> and <paramref name="Names"/> begin.</param>
/// <param name="Names">What clients are called in the registry, by number.</param>
/// <param name="Scores">What clients reported in the last evaluation by clients; null when it is not new.</param>
/// <param name="Silo">The silo that hosts the run.</param>
/// <param name="Made">When the run that is told of was created: the last news of a deleted one may reach the next of its name.</param>
[GenerateSerializer, Immutable, Alias("fed.news")]
internal sealed record RunNews(
    [property: Id(0)] RunView View,
    [property: Id(1)] int Lobby,
    [property: Id(2)] NewsMark From,
    [property: Id(3)] MetricPoint[] Metrics,
    [property: Id(4)] string[] Names,
    [property: Id(5)] ClientScore[]? Scores,
    [property: Id(6)] RunNotice[] Notices,
    [property: Id(7)] string Silo,
    [property: Id(8)] long Made);

using Federated.Coordinator.Hosting;
using Federated.Protocol;
using Orleans.Concurrency;

namespace Federated.Coordinator.Orleans.Grains;

/// <summary>One run of the cluster; the key is its id. Everything is safe to repeat.</summary>
/// <remarks>Weights never travel here: updates and models are named by digest and lie in the store that all silos share.</remarks>
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
    [Alias("view")]
    Task<RunView?> ViewAsync();

    /// <summary>The evaluations from an index on.</summary>
    [Alias("metrics")]
    Task<MetricPoint[]> MetricsAsync(long from);

    /// <summary>Names of the clients with these numbers; empty for one without.</summary>
    [Alias("names")]
    Task<string[]> NamesAsync([Immutable] ClientId[] clients);

    [Alias("find")]
    Task<ClientId?> FindAsync(string member);

    [Alias("join")]
    Task<Joined> JoinAsync(string member, double examples);

    /// <summary>A long poll, of at most <see cref="LongestCall"/>.</summary>
    [Alias("check-in")]
    Task<CheckInResult> CheckInAsync(ClientId client, TimeSpan wait, CancellationToken cancellation);

    [Alias("submit")]
    Task<SubmitResult> SubmitAsync([Immutable] UpdateSubmission submission, CancellationToken cancellation);

    /// <inheritdoc cref="RunHost.SubmitGroupAsync"/>
    [Alias("submit-group")]
    Task<GroupResult> SubmitGroupAsync(string group, [Immutable] UpdateSubmission[] members, CancellationToken cancellation);

    /// <summary>A long poll, of at most <see cref="LongestCall"/>.</summary>
    [Alias("watch")]
    Task<Watched> WatchAsync(AssignmentId assignment, ClientId client, TimeSpan wait, CancellationToken cancellation);

    /// <param name="runEvent">In the log's form.</param>
    [Alias("post")]
    Task<Posted> PostAsync([Immutable] byte[] runEvent);

    [Alias("save")]
    Task<Posted> SaveAsync();

    /// <summary>The digests of the blobs that the run needs; null when that is not known now.</summary>
    [Alias("referenced")]
    Task<string[]?> ReferencedBlobsAsync();

    /// <summary>Sends what happens to an observer, until a minute after its last subscription.</summary>
    [Alias("watch-run")]
    Task SubscribeAsync(IRunObserver observer);

    [Alias("unwatch-run")]
    Task UnsubscribeAsync(IRunObserver observer);

    /// <summary>Longest wait of one call; well under the cluster's response timeout, so that a long poll is several calls.</summary>
    static readonly TimeSpan LongestCall = TimeSpan.FromSeconds(15);
}

/// <summary>Gets what happens in a run, on the silo that has viewers for it.</summary>
[Alias("fed.run-observer")]
internal interface IRunObserver : IGrainObserver
{
    /// <summary>At most ten times a second.</summary>
    [OneWay, Alias("notices")]
    Task NoticesAsync([Immutable] RunNotice[] notices);
}

/// <summary>Where a branched run comes from.</summary>
[GenerateSerializer, Immutable, Alias("fed.branch-point")]
internal sealed record BranchPoint([property: Id(0)] string Run, [property: Id(1)] int Version, [property: Id(2)] BlobReference Model);

/// <summary>Reply to a join.</summary>
[GenerateSerializer, Immutable, Alias("fed.joined")]
internal readonly record struct Joined([property: Id(0)] HostOutcome Outcome, [property: Id(1)] ClientId Client, [property: Id(2)] TimeSpan RetryAfter);

/// <summary>Reply to a client that asks for its assignment.</summary>
[GenerateSerializer, Immutable, Alias("fed.watched")]
internal readonly record struct Watched([property: Id(0)] HostOutcome Outcome, [property: Id(1)] AssignmentState State);

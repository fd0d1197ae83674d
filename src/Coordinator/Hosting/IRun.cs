using Federated.Coordinator.Privacy;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Scheduling;
using Federated.Coordinator.SecureAggregation;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Hosting;

/// <summary>A run as front doors reach it: hosted in this process, or by another silo of a cluster.</summary>
/// <remarks>
/// Properties are what was last heard here, at once and without a lock: of a run in this process the truth, of one elsewhere up to a second
/// old. Methods ask the run itself. Everything a client may have to repeat is safe to repeat; that a run cannot be asked is a value.
/// </remarks>
public interface IRun
{
    RunEntry Entry { get; }

    RunView View { get; }

    /// <inheritdoc cref="RunHost.Parts"/>
    RunParts Parts { get; }

    /// <inheritdoc cref="RunHost.Metrics"/>
    IReadOnlyList<MetricPoint> Metrics { get; }

    /// <inheritdoc cref="RunHost.LastScores"/>
    IReadOnlyList<ClientScore> LastScores { get; }

    /// <summary>The run's sessions of secure aggregation; null in a run that takes updates one by one, and before it was ever open.</summary>
    ISecureSums? SecureSums { get; }

    /// <inheritdoc cref="RunHost.LobbyCount"/>
    int LobbyCount { get; }

    /// <summary>The view as it is now; what was last heard when the run cannot be asked.</summary>
    ValueTask<RunView> LookAsync(CancellationToken cancellation);

    /// <summary>The number that a client of the registry has in this run; null before it joined.</summary>
    ValueTask<ClientId?> FindAsync(string member, CancellationToken cancellation);

    /// <inheritdoc cref="RunHost.NameOf"/>
    string NameOf(ClientId client);

    /// <inheritdoc cref="RunHost.EnterAsync"/>
    ValueTask<int> EnterAsync(string member, string name, double examples, TimeSpan wait, CancellationToken cancellation);

    /// <inheritdoc cref="RunHost.JoinAsync"/>
    Task<(HostOutcome Outcome, ClientId Client, TimeSpan RetryAfter)> JoinAsync(string member, double examples);

    /// <inheritdoc cref="RunHost.CheckInAsync"/>
    Task<CheckInResult> CheckInAsync(ClientId client, TimeSpan wait, CancellationToken cancellation);

    /// <inheritdoc cref="RunHost.SubmitAsync"/>
    Task<SubmitResult> SubmitAsync(UpdateSubmission submission, CancellationToken cancellation);

    /// <summary>Small blobs may go with a group itself up to so many bytes together, and stand in the log's one record; what is more goes into the blob store first.</summary>
    long GroupInlineBytes => 256L << 20;

    /// <inheritdoc cref="RunHost.SubmitGroupAsync"/>
    Task<GroupResult> SubmitGroupAsync(string group, IReadOnlyList<UpdateSubmission> members, CancellationToken cancellation);

    /// <inheritdoc cref="RunHost.WatchAsync"/>
    Task<(HostOutcome Outcome, AssignmentState State)> WatchAsync(AssignmentId assignment, ClientId client, TimeSpan wait, CancellationToken cancellation);

    /// <inheritdoc cref="RunHost.CommandAsync"/>
    Task<Posted> CommandAsync(OperatorAction action, string reason);

    /// <inheritdoc cref="RunHost.FailAsync"/>
    Task<Posted> FailAsync(AssignmentId assignment, ClientId client, string reason);

    /// <inheritdoc cref="RunHost.ReportAsync"/>
    Task<Posted> ReportAsync(int version, ClientScore score);

    /// <inheritdoc cref="RunHost.ClientsAsync"/>
    Task<IReadOnlyList<ClientFacts>?> ClientsAsync();

    /// <inheritdoc cref="RunHost.SpendingAsync"/>
    Task<RunSpending> SpendingAsync(int count);

    /// <summary>What a run that asks a question has found, or was last heard to; null for one that trains, and before its first version.</summary>
    ValueTask<AnalysisMessage?> AnalysisAsync(CancellationToken cancellation);

    /// <inheritdoc cref="RunHost.SaveAsync"/>
    Task<Posted> SaveAsync();

    /// <summary>Asks for facts in notices (see <see cref="RunHost.Observe"/>), where the run is near enough to tell them.</summary>
    void Observe()
    {
    }

    /// <inheritdoc cref="RunHost.Subscribe"/>
    RunFeed Subscribe(int capacity);
}

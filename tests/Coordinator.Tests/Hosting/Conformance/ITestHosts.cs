using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting.Conformance;

/// <summary>Whatever hosts runs: one process, or the silos of a cluster.</summary>
public interface ITestHosts : IAsyncDisposable
{
    IBlobStore Blobs { get; }

    Task<ITestRun> CreateAsync(string id, ReadOnlyMemory<byte> configuration);

    Task<ITestRun> BranchAsync(string id, string from, int version);

    Task<bool> DeleteAsync(string id);

    /// <returns>Null when there is none.</returns>
    Task<ITestRun?> FindAsync(string id);

    /// <summary>Kills a host without warning and brings another up in its place. Runs that were on it go on.</summary>
    Task KillOneAsync();
}

/// <summary>A run as its clients and operators reach it. A host that is gone answers closed or unavailable, or has the run moved.</summary>
public interface ITestRun
{
    Task<(HostOutcome Outcome, ClientId Client)> JoinAsync(string member);

    Task<CheckInResult> CheckInAsync(ClientId client, TimeSpan wait);

    Task<SubmitResult> SubmitAsync(UpdateSubmission submission);

    Task<GroupResult> SubmitGroupAsync(string group, IReadOnlyList<UpdateSubmission> members);

    Task<HostOutcome> CommandAsync(OperatorAction action);

    Task<HostOutcome> FailAsync(AssignmentId assignment, ClientId client);

    /// <returns>Null when the run is gone.</returns>
    Task<RunView?> ViewAsync();
}

using Federated.Privacy.SecureAggregation.Sessions;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.SecureAggregation;

/// <summary>The sessions of secure aggregation of one run as front doors reach them: those of this process, or of the silo that hosts the run. Thread-safe.</summary>
public interface ISecureSums
{
    /// <summary>Longest body of a step, known before it is read; null for a step that there is not.</summary>
    long? LimitOf(string step);

    /// <inheritdoc cref="SecureIntake.TakeAsync"/>
    ValueTask<StepAnswer> TakeAsync(ClientId client, AssignmentId assignment, string step, ReadOnlyMemory<byte> body, CancellationToken cancellation);

    /// <inheritdoc cref="SecureIntake.StateAsync"/>
    Task<SecureSumState> StateAsync(ClientId client, AssignmentId assignment, SessionPhase? after, TimeSpan wait, CancellationToken cancellation);

    /// <summary>The latest sessions, those that are open at the end.</summary>
    ValueTask<SecureSumFacts> FactsAsync(CancellationToken cancellation);
}

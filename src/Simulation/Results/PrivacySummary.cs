using Federated.Privacy;
using Federated.Privacy.Statements;

namespace Federated.Simulation.Results;

/// <summary>What a run guarantees to its clients, and what that rests on.</summary>
/// <param name="Statement">In full; of a run without a policy, that nothing is guaranteed.</param>
/// <param name="Notes">What a reader must know about this run beyond the guarantee's own assumptions.</param>
public sealed record PrivacySummary(PrivacyStatement Statement, IReadOnlyList<string> Notes)
{
    /// <value>The policy's kind.</value>
    public string Policy => Statement.Policy;

    /// <value>What the run has cost the client that it cost most; null when it has cost nobody anything.</value>
    public PrivacyGuarantee? Spent => Statement.Spent;

    /// <value>The most that it could have cost, known in advance; null when nothing bounded it.</value>
    public PrivacyGuarantee? Planned => Statement.Planned;

    /// <value>The guarantee in one line.</value>
    public string Line => Spent?.ToString() ?? "nothing was released, so nothing was spent";

    /// <inheritdoc/>
    public bool Equals(PrivacySummary? other) => other is not null && Statement == other.Statement && Notes.SequenceEqual(other.Notes);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Statement, Notes.Count);
}

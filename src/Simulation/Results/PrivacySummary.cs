using Federated.Privacy;

namespace Federated.Simulation.Results;

/// <summary>What a run guarantees to its clients, and what that rests on.</summary>
/// <param name="Policy">The policy's kind.</param>
/// <param name="Spent">What the run has cost the client that it cost most; null when it has cost nobody anything.</param>
/// <param name="Planned">The most that it could have cost, known in advance; null when nothing bounded it.</param>
/// <param name="Notes">What a reader must know about this run beyond the guarantee's own assumptions.</param>
public sealed record PrivacySummary(string Policy, PrivacyGuarantee? Spent, PrivacyGuarantee? Planned, IReadOnlyList<string> Notes)
{
    /// <summary>The guarantee in one line.</summary>
    public string Statement => Spent?.ToString() ?? "nothing was released, so nothing was spent";

    /// <inheritdoc/>
    public bool Equals(PrivacySummary? other) =>
        other is not null && Policy == other.Policy && Equals(Spent, other.Spent) && Equals(Planned, other.Planned) && Notes.SequenceEqual(other.Notes);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Policy, Spent, Planned, Notes.Count);
}

namespace Federated.Privacy;

/// <summary>
/// A statement of (ε, δ)-differential privacy, complete enough to be printed: for every two neighbouring data sets and every event E,
/// Pr[M(D) ∈ E] ≤ e^ε · Pr[M(D′) ∈ E] + δ. It is an upper bound, and holds only as long as every one of its assumptions does.
/// </summary>
/// <remarks>
/// An ε means nothing without its δ, its unit, its adjacency and who is trusted, hence one type that cannot be built without them.
/// Equality compares every field, the assumptions in order.
/// </remarks>
public sealed record PrivacyGuarantee
{
    private readonly double epsilon;
    private readonly double delta;

    /// <value>Privacy loss bound in nats. Zero or more; +∞ says that nothing is guaranteed.</value>
    public required double Epsilon
    {
        get => epsilon;
        init => epsilon = value >= 0
            ? value
            : throw new PrivacyException($"ε must be zero or more, but is {value}: compute it with an accountant.");
    }

    /// <value>Probability with which the ε bound may fail. In [0, 1].</value>
    public required double Delta
    {
        get => delta;
        init => delta = value is >= 0 and <= 1
            ? value
            : throw new PrivacyException($"δ must lie in [0, 1], but is {value}: choose it well below 1/(number of units).");
    }

    /// <value>Whose presence or value is hidden, and how neighbouring data sets differ in it.</value>
    public required NeighbourRelation Relation { get; init; }

    /// <value>Who is trusted with data that carries no noise.</value>
    public required TrustModel Trust { get; init; }

    /// <value>The method that certified the number, for example <c>pld</c>, <c>rdp</c> or <c>analytic-gaussian</c>.</value>
    public required string Accountant { get; init; }

    /// <value>Sentences that must be true of the running system; where one fails, so does the guarantee.</value>
    public required IReadOnlyList<string> Assumptions { get; init; }

    /// <summary>
    /// Basic composition: mechanisms run on the same units, chosen adaptively, add their ε and their δ. An accountant gives a smaller
    /// number wherever the mechanisms themselves are known.
    /// </summary>
    /// <exception cref="PrivacyException">There is nothing to compose, or the guarantees have unlike relations.</exception>
    public static PrivacyGuarantee ComposeSequentially(params IReadOnlyList<PrivacyGuarantee> guarantees) =>
        Combine(guarantees, "basic-composition", all => all.Sum(g => g.Epsilon), all => Math.Min(1, all.Sum(g => g.Delta)));

    /// <summary>
    /// Parallel composition: mechanisms run on disjoint sets of units cost as much as the worst of them. Valid only where no unit is in
    /// two of the sets and the split does not depend on the data.
    /// </summary>
    /// <exception cref="PrivacyException">There is nothing to compose, or the guarantees have unlike relations.</exception>
    public static PrivacyGuarantee ComposeDisjoint(params IReadOnlyList<PrivacyGuarantee> guarantees)
    {
        var worst = Combine(guarantees, "parallel-composition", all => all.Max(g => g.Epsilon), all => all.Max(g => g.Delta));
        return worst with { Assumptions = [.. worst.Assumptions, "No unit's data is used by two of the composed mechanisms."] };
    }

    /// <inheritdoc/>
    public bool Equals(PrivacyGuarantee? other) =>
        other is not null && epsilon.Equals(other.epsilon) && delta.Equals(other.delta) && Relation == other.Relation
        && Trust == other.Trust && Accountant == other.Accountant && Assumptions.SequenceEqual(other.Assumptions);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(epsilon, delta, Relation, Trust, Accountant, Assumptions.Count);

    /// <summary>One line fit for a log: ε, δ, relation, trust and accountant.</summary>
    public override string ToString() =>
        $"({epsilon:G6}, {delta:G4})-DP, {Relation}, {Trust.ToString().ToLowerInvariant()} trust, by {Accountant}";

    private static PrivacyGuarantee Combine(
        IReadOnlyList<PrivacyGuarantee> guarantees,
        string accountant,
        Func<IReadOnlyList<PrivacyGuarantee>, double> epsilon,
        Func<IReadOnlyList<PrivacyGuarantee>, double> delta)
    {
        if (guarantees.Count == 0)
        {
            throw new PrivacyException("There is no guarantee to compose: pass at least one.");
        }

        foreach (var guarantee in guarantees)
        {
            NeighbourRelation.RequireSame(guarantees[0].Relation, guarantee.Relation);
        }

        return new PrivacyGuarantee
        {
            Epsilon = epsilon(guarantees),
            Delta = delta(guarantees),
            Relation = guarantees[0].Relation,
            // The weakest link: central trust is the most that is asked of anyone, local the least.
            Trust = guarantees.Min(g => g.Trust),
            Accountant = accountant,
            Assumptions = [.. guarantees.SelectMany(g => g.Assumptions).Distinct()],
        };
    }
}

using Federated.Privacy.Pipeline;

namespace Federated.Privacy.Statements;

/// <summary>
/// What a run says about privacy to the people whose data it uses: what is hidden, against which alternative, from whom, how far, who is
/// trusted with what, what that rests on, and what is not protected. Every run has one; one that guarantees nothing says so.
/// </summary>
/// <remarks>
/// Written from the run's policy and ledger, never by hand: numbers are the accountant's, rounded up (<see cref="Figures.Up"/>). With a later
/// <see cref="Spent"/> it is the same statement at a later time. Deviation from privacy.md §0.4: one text for every mode, by its parts.
/// </remarks>
public sealed record PrivacyStatement
{
    /// <value>As in <see cref="PrivacyPolicies"/>.</value>
    public required string Policy { get; init; }

    /// <value>What the policy does, in numbers.</value>
    public required PolicyTerms Terms { get; init; }

    /// <value>The most that the run can cost any client, known before it starts; null where nothing bounds it, or nothing is guaranteed.</value>
    public PrivacyGuarantee? Planned { get; init; }

    /// <value>What it has cost the client that it cost most; null where nothing has been spent.</value>
    public PrivacyGuarantee? Spent { get; init; }

    /// <value>True when the ledger cannot be read: <see cref="Spent"/> is then the most that can have been spent, or nothing that could be relied on.</value>
    public bool IsSpentUnknown { get; init; }

    /// <value>What the version that the run was branched from had cost before; null in a run that begins with its own initial model.</value>
    public PrivacyInheritance? Inherited { get; init; }

    /// <value><see cref="Planned"/> with what was inherited, by basic composition; null where nothing bounds both together.</value>
    public PrivacyGuarantee? TotalPlanned => Inherited is null ? Planned : Planned is null ? null : Inherited.With(Planned);

    /// <value><see cref="Spent"/> with what was inherited, by basic composition; null where nothing has been spent, or nothing bounds both together.</value>
    public PrivacyGuarantee? TotalSpent => Inherited is null ? Spent : Terms.Relation is null ? null : Inherited.With(Spent);

    /// <value>True when the noise can be repeated from a seed: then nobody is protected.</value>
    public bool IsSimulated { get; init; }

    /// <value>Who sees what; those that are trusted first.</value>
    public required IReadOnlyList<StatementParty> Parties { get; init; }

    /// <value>Sentences about what the guarantee does not cover. Never empty.</value>
    public required IReadOnlyList<string> NotProtected { get; init; }

    /// <value>The guarantee that the relation, the accountant and the assumptions are taken from; null where nothing is guaranteed.</value>
    public PrivacyGuarantee? Guarantee => Planned ?? Spent;

    /// <value>Sentences that must be true of the running system; where one fails, so does the guarantee.</value>
    public IReadOnlyList<string> Assumptions => [.. Guarantee?.Assumptions ?? [], .. Guarantee is null ? [] : Inherited?.Guarantee?.Assumptions ?? []];

    /// <value>The statement as one paragraph.</value>
    public string Text => StatementText.Write(this);

    /// <summary>The statement of a run.</summary>
    /// <param name="policy">The run's policy, at any time of the run.</param>
    /// <param name="setting">What stands around it.</param>
    public static PrivacyStatement Of<T>(PrivacyPolicy<T> policy, StatementSetting setting)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(setting);
        return Of(policy.Kind, policy.Terms, policy.Planned, policy.Spent, setting);
    }

    /// <summary>The statement of a run without a policy.</summary>
    public static PrivacyStatement None(StatementSetting setting)
    {
        ArgumentNullException.ThrowIfNull(setting);
        return Of(PrivacyPolicies.None, new PolicyTerms(), null, null, setting);
    }

    /// <summary>Why a run with this statement must not be made: with what it inherits, it would exceed its own budget. Null when it may.</summary>
    public string? RefusalOfInheritance()
    {
        if (Inherited is not { Epsilon: > 0 } inherited || Terms.EpsilonBudget <= 0)
        {
            return null;
        }

        var budget = Figures.Up(Terms.EpsilonBudget);
        var before = $"Version {inherited.Version} of '{inherited.Run}' has";
        if (!inherited.IsBounded)
        {
            return $"{before} a cost that nothing bounds, so that no budget (privacy.epsilon = {budget}) can hold for a branch of it. "
                + "Branch from a version with a bound, or set privacy.epsilon=0: then nothing is promised of the whole.";
        }

        var own = Planned?.Epsilon ?? Terms.EpsilonBudget;
        if (inherited.With(Planned ?? inherited.Guarantee) is null)
        {
            return $"{before} cost a guarantee for {inherited.Guarantee!.Relation}, and the branch's is for {Terms.Relation}: nothing bounds both together, so that no budget (privacy.epsilon = {budget}) can "
                + "hold for the branch. Use a policy with the same unit, or set privacy.epsilon=0: then nothing is promised of the whole.";
        }

        var total = inherited.Epsilon + own;
        return total <= Terms.EpsilonBudget * (1 + 1e-9)
            ? null
            : $"{before} cost its clients {StatementText.Of(inherited.Guarantee!)}, and the branch plans ε = {Figures.Up(own)} at δ = {Figures.Up(Planned?.Delta ?? Terms.Delta)}: together "
                + $"{Figures.Up(total)}, more than the budget of ε = {budget}, which covers both. "
                + (inherited.Epsilon < Terms.EpsilonBudget
                    ? $"Let the branch itself plan ε = {Figures.Down(Terms.EpsilonBudget - inherited.Epsilon)} at most (more noise, fewer participations or versions, given rather than derived from the budget), "
                    : "Nothing is left for the branch: ")
                + "branch from an earlier version, or raise privacy.epsilon.";
    }

    /// <inheritdoc/>
    public bool Equals(PrivacyStatement? other) =>
        other is not null && Policy == other.Policy && Terms == other.Terms && Equals(Planned, other.Planned) && Equals(Spent, other.Spent) && IsSpentUnknown == other.IsSpentUnknown && Equals(Inherited, other.Inherited) && IsSimulated == other.IsSimulated
        && Parties.SequenceEqual(other.Parties) && NotProtected.SequenceEqual(other.NotProtected);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Policy, Terms, Planned, Spent, Parties.Count, NotProtected.Count);

    private static PrivacyStatement Of(string policy, PolicyTerms terms, PrivacyGuarantee? planned, PrivacyGuarantee? spent, StatementSetting setting) => new()
    {
        Policy = policy,
        Terms = terms,
        Planned = planned,
        Spent = spent,
        IsSimulated = setting.IsSimulated,
        Parties = StatementParts.Parties(policy, terms, setting),
        NotProtected = StatementParts.NotProtected(policy, terms, setting),
    };
}

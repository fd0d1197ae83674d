namespace Federated.Privacy.Statements;

/// <summary>
/// What the version that a branched run starts from had already cost clients, in the run that it was taken from and in those before that one.
/// A branch's own ε is never the whole cost of its model: it adds to this.
/// </summary>
/// <param name="Run">The run that was branched.</param>
/// <param name="Version">Its version that the branch starts from.</param>
/// <param name="Basis">Where the number is from.</param>
/// <param name="Guarantee">The cost; null where there was none, and where nothing bounds it: <paramref name="Basis"/> says which.</param>
/// <remarks>
/// Basic composition (Dwork and Roth 2014, Theorem 3.16): ε and δ add up, for runs chosen adaptively. Guarantees for a client under unlike
/// adjacencies are both taken as zero-out ones, which replace-one and add-remove imply with the same numbers. Unlike units have no sum here: nothing
/// is then claimed of both together.
/// </remarks>
public sealed record PrivacyInheritance(string Run, int Version, InheritanceBasis Basis, PrivacyGuarantee? Guarantee = null)
{
    /// <value>False where no finite ε is known to hold for what was inherited.</value>
    public bool IsBounded => Basis == InheritanceBasis.Nothing || (Guarantee is { Epsilon: < double.PositiveInfinity });

    /// <value>+∞ where nothing bounds it.</value>
    public double Epsilon => !IsBounded ? double.PositiveInfinity : Guarantee?.Epsilon ?? 0;

    /// <summary>What a client that took part in all of it is left with.</summary>
    /// <param name="own">The branch's own cost; null for none.</param>
    /// <returns>Null where nothing bounds both together, or there is nothing.</returns>
    public PrivacyGuarantee? With(PrivacyGuarantee? own) =>
        !IsBounded ? null
        : own is null || Guarantee is null ? own ?? Guarantee
        : own.Relation == Guarantee.Relation ? PrivacyGuarantee.ComposeSequentially(Guarantee, own)
        : own.Relation.Unit == PrivacyUnit.Client && Guarantee.Relation.Unit == PrivacyUnit.Client ? PrivacyGuarantee.ComposeSequentially(ZeroOut(Guarantee), ZeroOut(own))
        : null;

    private static PrivacyGuarantee ZeroOut(PrivacyGuarantee guarantee) => guarantee with { Relation = new NeighbourRelation(PrivacyUnit.Client, Adjacency.ZeroOut) };
}

/// <summary>Where the number of a <see cref="PrivacyInheritance"/> is from.</summary>
public enum InheritanceBasis
{
    /// <summary>No client's data had been used for the version.</summary>
    Nothing,

    /// <summary>What had been spent when the version was published.</summary>
    AtVersion,

    /// <summary>What had been spent when the branch was made: more than the version's own cost, or the same.</summary>
    Latest,

    /// <summary>The most that the branched run may cost: what it had spent was not known.</summary>
    Planned,

    /// <summary>The branched run, or one before it, guaranteed nothing.</summary>
    Unbounded,

    /// <summary>The branch was made by a build that did not write it down.</summary>
    Unknown,
}

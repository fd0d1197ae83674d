namespace Federated.Privacy.Accounting;

/// <summary>Skellam noise (difference of two Poisson variables) of total variance μ on an integer vector query.</summary>
/// <remarks>
/// Agarwal, Kairouz, Liu, "The Skellam Mechanism for Differentially Private Federated Learning", NeurIPS 2021. Closed under sums, so that
/// each of n clients adds Skellam(μ/n). A scalar query (both sensitivities equal to one integer) is accounted from its mass function;
/// a vector by the paper's Rényi bound at integer orders.
/// </remarks>
public sealed record SkellamEvent(NeighbourRelation Relation, double Variance, double L1Sensitivity, double L2Sensitivity) : MechanismEvent(Relation)
{
    /// <value>μ: variance of the summed noise, in squared grid units. Positive.</value>
    public double Variance { get; } = EventGuard.Positive(Variance, "A Skellam variance");

    /// <value>Largest L1 change of the integer vector by one unit. At least <see cref="L2Sensitivity"/>.</value>
    public double L1Sensitivity { get; } = EventGuard.Positive(L1Sensitivity, "An L1 sensitivity") >= L2Sensitivity
        ? L1Sensitivity
        : throw new PrivacyException($"An L1 sensitivity is at least the L2 sensitivity, but {L1Sensitivity} < {L2Sensitivity}.");

    /// <value>Largest L2 change of the integer vector by one unit. Positive.</value>
    public double L2Sensitivity { get; } = EventGuard.Positive(L2Sensitivity, "An L2 sensitivity");

    /// <inheritdoc/>
    public override TrustModel Trust => TrustModel.Distributed;

    /// <inheritdoc/>
    public override IEnumerable<string> Assumptions =>
        ["The noise variance counts honest clients only: those that delivered, less the number assumed to collude."];

    internal bool IsScalar => L1Sensitivity == L2Sensitivity && L2Sensitivity == Math.Floor(L2Sensitivity) && L2Sensitivity <= int.MaxValue;
}

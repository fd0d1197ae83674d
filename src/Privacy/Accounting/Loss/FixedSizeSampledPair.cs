namespace Federated.Privacy.Accounting.Loss;

/// <summary>A mechanism on a sample of fixed size without replacement, under replace-one.</summary>
/// <remarks>
/// Balle, Barthe, Gaboardi, "Privacy Amplification by Subsampling", NeurIPS 2018, theorem 9: for ε ≥ 0 the trade-off is that of
/// ((1 − γ)Q + γP, Q) with γ = m/n, where (P, Q) dominates the mechanism under replace-one. The relation is symmetric, which fixes the
/// trade-off for ε &lt; 0 as δ(ε) = 1 − e^ε + e^ε·δ(−ε) (Zhu, Dong, Wang, AISTATS 2022, theorem 11, states the same pair). It is convex,
/// hence the trade-off of a pair, and composes.
/// </remarks>
internal sealed class FixedSizeSampledPair(DominatingPair mixture) : DominatingPair
{
    public override double MinimumLoss => -mixture.MaximumLoss;

    public override double MaximumLoss => mixture.MaximumLoss;

    public override bool IsSymmetric => true;

    public override (LossMasses Forward, LossMasses Reverse) Discretize(double step)
    {
        var symmetric = mixture.Discretize(step).Forward.Symmetrized();
        return (symmetric, symmetric);
    }

    public override DominatingPair PoissonSampled(double probability) =>
        throw new PrivacyException("A fixed-size sample is a replace-one event and is not Poisson-sampled again: use one sampling scheme.");
}

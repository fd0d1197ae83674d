using Federated.Privacy.Amplification;

namespace Federated.Privacy.Accounting.Loss;

/// <summary>The dominating pair of each event that has one.</summary>
internal static class DominatingPairs
{
    public static DominatingPair For(PrivacyEvent leaf) => leaf switch
    {
        GaussianEvent e => new GaussianPair(e.NoiseMultiplier),
        LaplaceEvent e => new LaplacePair(e.NoiseMultiplier),
        DiscreteGaussianEvent e => AtomicPairs.DiscreteGaussian(e.Variance, e.Sensitivity),
        SkellamEvent { IsScalar: true } e => AtomicPairs.Skellam(e.Variance, (int)e.L2Sensitivity),
        GaussianMixtureEvent e => new GaussianMixturePair(e.StandardDeviation, e.Sensitivities, e.Probabilities),
        PureEvent e => AtomicPairs.Approximate(e.Epsilon, 0),
        ApproximateEvent e => AtomicPairs.Approximate(e.Epsilon, e.Delta),
        RandomizedResponseEvent e => AtomicPairs.RandomizedResponse(e.Epsilon, e.Categories),
        ShuffledEvent e => new ShufflePair(ClonePair.VariationRatio(e.Randomizer, e.Reports)),
        BinomialShiftEvent e => AtomicPairs.BinomialShift(e.Trials, e.Probability, e.Shift),
        PoissonSampledEvent e => For(e.Inner).PoissonSampled(e.Probability),
        FixedSizeSampledEvent e => new FixedSizeSampledPair(For(e.Inner).PoissonSampled(e.Fraction)),
        SkellamEvent or DistributedDiscreteGaussianEvent => throw new PrivacyException(
            $"The worst pair of outcomes of a vector-valued {leaf.GetType().Name} is not known, hence no privacy loss distribution: "
            + $"use the {Accountants.Rdp} accountant."),
        _ => throw new PrivacyException($"The {Accountants.Pld} accountant has no privacy loss distribution for {leaf.GetType().Name}."),
    };
}

namespace Federated.Privacy.Accounting;

/// <summary>Gaussian noise on a vector query: standard deviation <see cref="NoiseMultiplier"/> times the query's L2 sensitivity.</summary>
/// <remarks>Exact trade-off: <see cref="AnalyticGaussian"/>. Rényi divergence of order α: α/(2z²).</remarks>
public sealed record GaussianEvent(NeighbourRelation Relation, double NoiseMultiplier) : MechanismEvent(Relation)
{
    /// <value>z: noise standard deviation over L2 sensitivity under this event's adjacency. Positive.</value>
    public double NoiseMultiplier { get; } = EventGuard.Positive(NoiseMultiplier, "A Gaussian noise multiplier (standard deviation over L2 sensitivity)");

    /// <summary>
    /// The event of adding noise of a standard deviation to a sum of vectors clipped to a norm, with the sensitivity that the adjacency
    /// gives: the clip norm, or twice the clip norm under replace-one.
    /// </summary>
    public static GaussianEvent ForClippedSum(NeighbourRelation relation, double noiseStandardDeviation, double clipNorm) =>
        new(relation, noiseStandardDeviation / relation.SumSensitivity(EventGuard.Positive(clipNorm, "A clip norm")));
}

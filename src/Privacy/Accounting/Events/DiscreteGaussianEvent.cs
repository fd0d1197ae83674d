namespace Federated.Privacy.Accounting;

/// <summary>Noise from the discrete Gaussian N_ℤ(0, σ²) on one integer query that one unit moves by at most <see cref="Sensitivity"/>.</summary>
/// <remarks>
/// Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", NeurIPS 2020: the same concentrated-DP parameter
/// Δ²/(2σ²) as the continuous mechanism. The accountants here sum the probability mass itself. For a vector query see
/// <see cref="DistributedDiscreteGaussianEvent"/> with one client.
/// </remarks>
public sealed record DiscreteGaussianEvent(NeighbourRelation Relation, double Variance, int Sensitivity = 1) : MechanismEvent(Relation)
{
    /// <value>σ², the parameter of the distribution, in squared grid units; its variance is slightly smaller for σ² below 1. Positive.</value>
    public double Variance { get; } = EventGuard.Positive(Variance, "A discrete Gaussian's σ²");

    /// <value>Δ: largest change of the integer query by one unit. At least 1.</value>
    public int Sensitivity { get; } = (int)EventGuard.Positive(Sensitivity, "An integer query's sensitivity");
}

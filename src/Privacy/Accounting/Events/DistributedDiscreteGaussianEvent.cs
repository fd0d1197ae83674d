namespace Federated.Privacy.Accounting;

/// <summary>
/// The sum of <see cref="Clients"/> independent discrete Gaussian noise vectors, one per client, on a sum opened only as a whole
/// (secure aggregation).
/// </summary>
/// <remarks>
/// Kairouz, Liu, Steinke, "The Distributed Discrete Gaussian Mechanism for Federated Learning with Secure Aggregation", ICML 2021,
/// theorem 1: the sum is not itself discrete Gaussian; τ = 10·Σₖ₌₁ⁿ⁻¹ exp(−2π²σ²·k/(k+1)) bounds the distance. Rényi accounting only.
/// </remarks>
public sealed record DistributedDiscreteGaussianEvent(
    NeighbourRelation Relation, double LocalVariance, int Clients, int Dimension, double L1Sensitivity, double L2Sensitivity)
    : MechanismEvent(Relation)
{
    /// <value>σ² of one client's noise, in squared grid units. Positive; below 16 the distance τ starts to cost privacy.</value>
    public double LocalVariance { get; } = EventGuard.Positive(LocalVariance, "A local discrete Gaussian's σ²");

    /// <value>n: honest clients whose noise is certainly in the sum. At least 1.</value>
    public int Clients { get; } = (int)EventGuard.Positive(Clients, "The number of noise-adding clients");

    /// <value>d: coordinates of the vector. At least 1.</value>
    public int Dimension { get; } = (int)EventGuard.Positive(Dimension, "A dimension");

    /// <value>Largest L1 change of the integer vector by one unit.</value>
    public double L1Sensitivity { get; } = EventGuard.Positive(L1Sensitivity, "An L1 sensitivity");

    /// <value>Largest L2 change of the integer vector by one unit.</value>
    public double L2Sensitivity { get; } = EventGuard.Positive(L2Sensitivity, "An L2 sensitivity");

    /// <inheritdoc/>
    public override TrustModel Trust => TrustModel.Distributed;

    /// <inheritdoc/>
    public override IEnumerable<string> Assumptions =>
        ["The number of clients counts honest ones only: those that delivered, less the number assumed to collude."];
}

using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Staleness;

/// <summary>s(τ) = (1 + τ)^−a.</summary>
/// <remarks>
/// Xie, Koyejo, Gupta, "Asynchronous Federated Optimization", 2019, Section 5.2, https://arxiv.org/abs/1903.03934; with a = ½ the
/// function of FedBuff (Nguyen et al., AISTATS 2022, https://arxiv.org/abs/2106.06639). Deviation: none.
/// </remarks>
public sealed record PolynomialStaleness : StalenessWeight
{
    /// <summary>a, how fast old updates lose weight.</summary>
    /// <value>The default is 0.5. Must be in [0, 100].</value>
    [Range(0.0, 100.0)]
    public double Exponent { get; init; } = 0.5;

    public override string Name => StalenessWeights.Polynomial;

    protected override double Raw(int staleness) => Math.Pow(1.0 + staleness, -Exponent);
}

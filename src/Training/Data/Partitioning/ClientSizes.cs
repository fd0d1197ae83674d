using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Training.Data.Partitioning;

/// <summary>How many examples each client gets; configuration chooses the kind by name.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(EqualSizes), "equal")]
[JsonDerivedType(typeof(LogNormalSizes), "lognormal")]
[JsonDerivedType(typeof(PowerLawSizes), "power-law")]
[JsonDerivedType(typeof(DirichletSizes), "dirichlet")]
public abstract record ClientSizes;

/// <summary>Sizes that differ by at most one.</summary>
public sealed record EqualSizes : ClientSizes;

/// <summary>Sizes that differ: every client gets the minimum, and the rest is shared in proportion to random weights.</summary>
public abstract record SkewedSizes : ClientSizes
{
    /// <value>What every client gets at least. The default is 1. Must be in 1..1000000000.</value>
    [Range(1, 1_000_000_000)]
    public int MinExamples { get; init; } = 1;
}

/// <summary>Weights exp(N(0, σ²)): a few large clients, none dominating for σ below 2 or so.</summary>
public sealed record LogNormalSizes : SkewedSizes
{
    /// <value>σ, the standard deviation of the logarithm. The default is 1. Must be in [0, 10].</value>
    [Range(0.0, 10.0)]
    public double Sigma { get; init; } = 1;
}

/// <summary>Weights with density ∝ w^−a for w ≥ 1 (Pareto): most clients small, a heavy tail.</summary>
public sealed record PowerLawSizes : SkewedSizes
{
    /// <value>a, the exponent of the density. The default is 2. Must be in (1, 100].</value>
    [Range(1.0, 100.0, MinimumIsExclusive = true)]
    public double Exponent { get; init; } = 2;
}

/// <summary>Weights ~ Dirichlet(α·1), the quantity skew of NIID-Bench (Li et al., ICDE 2022, section IV-C).</summary>
public sealed record DirichletSizes : SkewedSizes
{
    /// <value>α. The default is 0.5. Must be in (0, 1000000].</value>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double Alpha { get; init; } = 0.5;
}

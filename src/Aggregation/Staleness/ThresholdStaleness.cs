using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Staleness;

/// <summary>s(τ) = 1 for τ ≤ cutoff, else a fixed weight.</summary>
/// <remarks>
/// FLSim's threshold weight; with weight 0 after 10 it is the threshold of Liu et al., "Asynchronous Local-SGD Training for Language
/// Modeling", 2024, https://arxiv.org/abs/2401.09135. Deviation: none. An update of weight 0 still counts as received; to refuse stale
/// updates use the run's staleness bound.
/// </remarks>
public sealed record ThresholdStaleness : StalenessWeight
{
    /// <summary>Largest staleness with full weight.</summary>
    /// <value>The default is 10. Must be 0 or more.</value>
    [Range(0, int.MaxValue)]
    public int Cutoff { get; init; } = 10;

    /// <summary>Weight beyond the cutoff.</summary>
    /// <value>The default is 0. Must be in [0, 1].</value>
    [Range(0.0, 1.0)]
    public double Beyond { get; init; }

    public override string Name => StalenessWeights.Threshold;

    protected override double Raw(int staleness) => staleness <= Cutoff ? 1 : Beyond;
}

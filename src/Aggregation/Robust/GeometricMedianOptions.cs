using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Robust;

/// <summary>Options of <see cref="GeometricMedian{T}"/>.</summary>
public sealed record GeometricMedianOptions : RobustRuleOptions
{
    /// <summary>R, the most Weiszfeld steps of one combination.</summary>
    /// <value>The default is 32. Must be at least 1.</value>
    [Range(1, 10_000)]
    public int Steps { get; init; } = 32;

    /// <summary>ν, the distance, in the updates' own unit, below which an update's pull no longer grows.</summary>
    /// <value>The default is 1e-6, the paper's. Must be positive.</value>
    [Range(0.0, 1e30, MinimumIsExclusive = true)]
    public double Smoothing { get; init; } = 1e-6;

    /// <summary>Steps end early when the smoothed objective falls by no more than this share.</summary>
    /// <value>The default is 1e-6. Must be in [0, 1].</value>
    [Range(0.0, 1.0)]
    public double Tolerance { get; init; } = 1e-6;

    /// <summary>
    /// Whether updates pull with their weights, as in the paper, or all alike. Weighted, a client that may state its own example count
    /// may state half of the total: switch it off where counts are not trusted.
    /// </summary>
    /// <value>The default is true.</value>
    public bool Weighted { get; init; } = true;
}

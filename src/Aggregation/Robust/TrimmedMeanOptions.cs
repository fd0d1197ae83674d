using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Robust;

/// <summary>Options of <see cref="TrimmedMean{T}"/>.</summary>
public sealed record TrimmedMeanOptions : RobustRuleOptions
{
    /// <summary>β, the share of the n values that is discarded at each end of every coordinate; ⌊β·n⌋ values.</summary>
    /// <value>The default is 0.1. Must be in [0, 0.5).</value>
    [Range(0.0, 0.5, MaximumIsExclusive = true)]
    public double Beta { get; init; } = 0.1;
}

using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Robust;

/// <summary>Options of <see cref="NormBounding{T}"/>.</summary>
public sealed record NormBoundingOptions : RobustRuleOptions
{
    /// <summary>M, the longest an update may be (‖u‖₂); longer ones are shortened to it. A factor when <see cref="OfMedian"/> is set.</summary>
    /// <value>The default is 1. Must be positive.</value>
    [Range(0.0, 1e30, MinimumIsExclusive = true)]
    public double Bound { get; init; } = 1;

    /// <summary>Whether the bound is <see cref="Bound"/> times the median length of the updates at hand rather than a length itself.</summary>
    /// <value>The default is false.</value>
    public bool OfMedian { get; init; }
}

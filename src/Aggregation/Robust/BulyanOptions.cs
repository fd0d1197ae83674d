using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Robust;

/// <summary>Options of <see cref="Bulyan{T}"/>.</summary>
public sealed record BulyanOptions : RobustRuleOptions
{
    /// <summary>f, the number of arbitrary updates to tolerate in one aggregate; n ≥ 4f + 3 updates are needed.</summary>
    /// <value>The default is 1. Must be at least 0.</value>
    [Range(0, int.MaxValue)]
    public int Byzantine { get; init; } = 1;
}

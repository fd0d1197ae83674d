using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Robust;

/// <summary>Options of <see cref="CenteredClipping{T}"/>.</summary>
public sealed record CenteredClippingOptions : RobustRuleOptions
{
    /// <summary>τ, the radius around the centre beyond which an update's difference from it is shortened; in the updates' own unit.</summary>
    /// <value>The default is 10. Must be positive.</value>
    [Range(0.0, 1e30, MinimumIsExclusive = true)]
    public double Radius { get; init; } = 10;

    /// <summary>L, clipping steps per combination, each starting from the last one's result.</summary>
    /// <value>The default is 1. Must be at least 1.</value>
    [Range(1, 10_000)]
    public int Steps { get; init; } = 1;
}

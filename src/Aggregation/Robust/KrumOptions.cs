using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Robust;

/// <summary>Options of <see cref="Krum{T}"/>.</summary>
public sealed record KrumOptions : RobustRuleOptions
{
    /// <summary>f, the number of arbitrary updates to tolerate in one aggregate; n ≥ 2f + 3 updates are needed.</summary>
    /// <value>The default is 1. Must be at least 0.</value>
    [Range(0, int.MaxValue)]
    public int Byzantine { get; init; } = 1;
}

/// <summary>Options of <see cref="MultiKrum{T}"/>.</summary>
public sealed record MultiKrumOptions : RobustRuleOptions
{
    /// <summary>f, the number of arbitrary updates to tolerate in one aggregate; n ≥ 2f + 3 updates are needed.</summary>
    /// <value>The default is 1. Must be at least 0.</value>
    [Range(0, int.MaxValue)]
    public int Byzantine { get; init; } = 1;

    /// <summary>m, how many of the best-scored updates are averaged; 0 for n − f − 2, the most for which the bound is proven.</summary>
    /// <value>The default is 0. Must be at least 0, and at most n − f − 2 when the rule runs.</value>
    [Range(0, int.MaxValue)]
    public int Selected { get; init; }
}

using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Robust;

/// <summary>Options of <see cref="NearestNeighbourMixing{T}"/>.</summary>
public sealed record NearestNeighbourMixingOptions : RobustRuleOptions
{
    /// <summary>f, the number of arbitrary updates to tolerate in one aggregate; every update is mixed with its n − f nearest.</summary>
    /// <value>The default is 1. Must be at least 0, and below n/2 when the rule runs.</value>
    [Range(0, int.MaxValue)]
    public int Byzantine { get; init; } = 1;

    /// <summary>The rule that combines the mixed updates.</summary>
    /// <value>The default is median. Must not be nearest-neighbour-mixing itself.</value>
    [Required]
    public RobustRuleOptions Inner { get; init; } = new MedianOptions();
}

/// <summary>Options of <see cref="NearestNeighbourAveraging{T}"/>.</summary>
public sealed record NearestNeighbourAveragingOptions : RobustRuleOptions
{
    /// <summary>f, the number of arbitrary updates to tolerate in one aggregate; the n − f updates nearest to the pivot are averaged.</summary>
    /// <value>The default is 1. Must be at least 0, and below n/2 when the rule runs.</value>
    [Range(0, int.MaxValue)]
    public int Byzantine { get; init; } = 1;

    /// <summary>What nearness is measured from.</summary>
    /// <value>The default is the coordinate-wise median.</value>
    [EnumDataType(typeof(NearestNeighbourPivot))]
    public NearestNeighbourPivot Pivot { get; init; } = NearestNeighbourPivot.Median;
}

/// <summary>What <see cref="NearestNeighbourAveraging{T}"/> measures nearness from.</summary>
public enum NearestNeighbourPivot
{
    /// <summary>The coordinate-wise median of the updates: robust without trusting anybody.</summary>
    Median,

    /// <summary>The server's own model, that is the zero update: the paper's worker, for a server that has trained nothing itself.</summary>
    Model,
}

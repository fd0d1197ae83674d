using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Robust;

/// <summary>Options of <see cref="NearestNeighbourMixing{T}"/>.</summary>
public sealed record NearestNeighbourMixingOptions
{
    /// <summary>f, the number of arbitrary updates to tolerate in one aggregate; every update is mixed with its n − f nearest.</summary>
    /// <value>The default is 1. Must be at least 0, and below n/2 when the rule runs.</value>
    [Range(0, int.MaxValue)]
    public int Byzantine { get; init; } = 1;

    /// <summary>Name of the rule that combines the mixed updates; see <see cref="RobustRules"/>.</summary>
    /// <value>The default is trimmed-mean. Must not be nearest-neighbour-mixing itself.</value>
    public string Inner { get; init; } = RobustRules.TrimmedMean;
}

/// <summary>Options of <see cref="NearestNeighbourAveraging{T}"/>.</summary>
public sealed record NearestNeighbourAveragingOptions
{
    /// <summary>f, the number of arbitrary updates to tolerate in one aggregate; the n − f updates nearest to the pivot are averaged.</summary>
    /// <value>The default is 1. Must be at least 0, and below n/2 when the rule runs.</value>
    [Range(0, int.MaxValue)]
    public int Byzantine { get; init; } = 1;

    /// <summary>What nearness is measured from.</summary>
    /// <value>The default is the coordinate-wise median.</value>
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

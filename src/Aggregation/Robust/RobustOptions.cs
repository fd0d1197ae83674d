using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Robust;

/// <summary>Which robust rule combines the updates, and the options of each; those of rules that are not named are not read.</summary>
public sealed record RobustOptions
{
    /// <summary>The rule's name; see <see cref="RobustRules"/>.</summary>
    /// <value>The default is median. Must be one of the names in <see cref="RobustRules.All"/>.</value>
    [Required]
    public string Rule { get; init; } = RobustRules.Median;

    public TrimmedMeanOptions TrimmedMean { get; init; } = new();

    public KrumOptions Krum { get; init; } = new();

    public MultiKrumOptions MultiKrum { get; init; } = new();

    public BulyanOptions Bulyan { get; init; } = new();

    public GeometricMedianOptions GeometricMedian { get; init; } = new();

    public CenteredClippingOptions CenteredClipping { get; init; } = new();

    public NormBoundingOptions NormBounding { get; init; } = new();

    public NearestNeighbourMixingOptions NearestNeighbourMixing { get; init; } = new();

    public NearestNeighbourAveragingOptions NearestNeighbourAveraging { get; init; } = new();
}

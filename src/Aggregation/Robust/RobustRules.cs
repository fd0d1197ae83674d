using System.Collections.Immutable;
using System.Numerics;

namespace Federated.Aggregation.Robust;

/// <summary>Names of the robust rules, as config gives them, and the way from a name to a rule.</summary>
public static class RobustRules
{
    /// <summary>Nothing to tune and the highest breakdown point; biased where clients' data differ.</summary>
    public const string Median = "median";

    /// <summary>Keeps more of the honest information than the median when the share of attackers is known.</summary>
    public const string TrimmedMean = "trimmed-mean";

    /// <summary>A single client's update, never a blend: when blends of updates make no sense.</summary>
    public const string Krum = "krum";

    /// <summary>Krum's choice with less variance: the usual one of the two.</summary>
    public const string MultiKrum = "multi-krum";

    /// <summary>Against attacks that hide a large deviation in a few coordinates of a long vector; needs n ≥ 4f + 3.</summary>
    public const string Bulyan = "bulyan";

    /// <summary>Rotation-invariant and weighted; when coordinates have no meaning of their own.</summary>
    public const string GeometricMedian = "geometric-median";

    /// <summary>Against attackers who deviate a little for a long time; linear cost; one radius to tune.</summary>
    public const string CenteredClipping = "centered-clipping";

    /// <summary>Against boosted (backdoor) updates; a mean for everybody who stays within the bound.</summary>
    public const string NormBounding = "norm-bounding";

    /// <summary>In front of any of the above where clients' data differ.</summary>
    public const string NearestNeighbourMixing = "nearest-neighbour-mixing";

    /// <summary>Linear cost, for peers (own vector as pivot) and as a server rule.</summary>
    public const string NearestNeighbourAveraging = "nearest-neighbour-averaging";

    /// <summary>All names.</summary>
    public static ImmutableArray<string> All { get; } =
    [
        Median, TrimmedMean, Krum, MultiKrum, Bulyan, GeometricMedian, CenteredClipping, NormBounding, NearestNeighbourMixing,
        NearestNeighbourAveraging,
    ];

    /// <summary>Makes the rule that the options describe.</summary>
    /// <param name="options">The rule's options; their type names the rule.</param>
    /// <param name="dimension">d, the length of the updates to come.</param>
    /// <exception cref="AggregationException">Options out of range.</exception>
    public static IRobustRule<T> Create<T>(RobustRuleOptions options, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => options switch
        {
            MedianOptions => new CoordinateMedian<T>(),
            TrimmedMeanOptions o => new TrimmedMean<T>(o),
            KrumOptions o => new Krum<T>(o),
            MultiKrumOptions o => new MultiKrum<T>(o),
            BulyanOptions o => new Bulyan<T>(o),
            GeometricMedianOptions o => new GeometricMedian<T>(o),
            CenteredClippingOptions o => new CenteredClipping<T>(o, dimension),
            NormBoundingOptions o => new NormBounding<T>(o),
            NearestNeighbourAveragingOptions o => new NearestNeighbourAveraging<T>(o),
            NearestNeighbourMixingOptions { Inner: NearestNeighbourMixingOptions } => throw new AggregationException(
                $"{NearestNeighbourMixing} needs another rule inside, not itself; choose one of {string.Join(", ", All.Remove(NearestNeighbourMixing))}."),
            NearestNeighbourMixingOptions o => new NearestNeighbourMixing<T>(o, Create<T>(o.Inner, dimension)),
            _ => throw new AggregationException($"No robust rule for {options?.GetType().Name ?? "null"}; choose one of {string.Join(", ", All)}."),
        };

    /// <summary>
    /// Makes the aggregator that the options describe: one that holds every update, except where one that holds O(d) gives the same
    /// result (norm bounding with a fixed bound, centered clipping with one step).
    /// </summary>
    public static IAggregator<T> CreateAggregator<T>(RobustRuleOptions options, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => options switch
        {
            NormBoundingOptions { OfMedian: false } o => new NormBoundedMean<T>(o, dimension),
            CenteredClippingOptions { Steps: 1 } o => new CenteredClippingMean<T>(o, dimension),
            _ => new RobustAggregator<T>(Create<T>(options, dimension), dimension),
        };
}

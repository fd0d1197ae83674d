using Federated.Aggregation.Robust;

namespace Federated.Aggregation.Tests.Robust;

/// <summary>The robust rules under the conditions of every aggregator: held ones through <see cref="RobustAggregator{T}"/>, and the streaming ones.</summary>
public abstract class RobustConformance<T>(RobustRuleOptions options) : AggregatorConformance<T>
    where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
{
    protected override IAggregator<T> Create(int dimension) => Aggregators.Create<T>(options, dimension);
}

public class MedianConformance() : RobustConformance<float>(new MedianOptions());

public class TrimmedMeanConformance() : RobustConformance<double>(new TrimmedMeanOptions { Beta = 0.2 });

public class KrumConformance() : RobustConformance<float>(new KrumOptions { Byzantine = 2 });

public class MultiKrumConformance() : RobustConformance<double>(new MultiKrumOptions { Byzantine = 2 });

public class BulyanConformance() : RobustConformance<float>(new BulyanOptions { Byzantine = 2 });

// Iterations end by objective, whose last bits scaling changes by rounding of ν: compared with a looser tolerance.
public class GeometricMedianConformance() : RobustConformance<double>(new GeometricMedianOptions())
{
    protected override double Tolerance => 1e-6;
}

public class NearestNeighbourMixingConformance() : RobustConformance<float>(
    new NearestNeighbourMixingOptions { Byzantine = 2, Inner = new TrimmedMeanOptions { Beta = 0.17 } });

public class NearestNeighbourAveragingConformance() : RobustConformance<double>(new NearestNeighbourAveragingOptions { Byzantine = 2 });

// Updates that are too long are shortened, so that less than the whole weight is left.
public class RelativeNormBoundingConformance() : RobustConformance<float>(new NormBoundingOptions { OfMedian = true })
{
    protected override (double Least, double Most) WeightSum => (0.5, 1);
}

// A fixed length or radius is not scaled with the updates.
public class NormBoundingConformance() : RobustConformance<float>(new NormBoundingOptions { Bound = 45 })
{
    protected override (double Least, double Most) WeightSum => (0.5, 1);

    protected override bool IsLinear => false;
}

public class CenteredClippingConformance() : RobustConformance<double>(new CenteredClippingOptions { Radius = 45, Steps = 3 })
{
    protected override (double Least, double Most) WeightSum => (0.5, 1);

    protected override bool IsLinear => false;

    protected override bool ForgetsAfterCombine => false;
}

public class StreamingCenteredClippingConformance() : RobustConformance<float>(new CenteredClippingOptions { Radius = 45 })
{
    protected override (double Least, double Most) WeightSum => (0.5, 1);

    protected override bool IsLinear => false;

    protected override bool ForgetsAfterCombine => false;
}

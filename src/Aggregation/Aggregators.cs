using System.Numerics;
using Federated.Aggregation.Averaging;

namespace Federated.Aggregation;

/// <summary>Names of the aggregators, as config gives them.</summary>
public static class Aggregators
{
    /// <summary>The weighted mean of FedAvg, FedBuff, FedFix and FedAsync: the one to start with.</summary>
    public const string Mean = "mean";

    /// <summary>Makes the aggregator that <paramref name="options"/> describe.</summary>
    /// <param name="dimension">d, the length of every update.</param>
    public static IAggregator<T> Create<T>(AggregatorOptions options, int dimension)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => options switch
        {
            WeightedMeanOptions o => new WeightedMean<T>(dimension, o),
            _ => throw new AggregationException($"No aggregator for {options?.GetType().Name ?? "null"}."),
        };
}

using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Averaging;

/// <summary>Options of <see cref="WeightedMean{T}"/>.</summary>
public sealed record WeightedMeanOptions : AggregatorOptions
{
    /// <summary>What the weighted sum is divided by.</summary>
    /// <value>The default is WeightSum, FedAvg's. FedBuff's is Count.</value>
    [EnumDataType(typeof(Normalisation))]
    public Normalisation Normalisation { get; init; } = Normalisation.WeightSum;

    /// <summary>The number to divide by when <see cref="Normalisation"/> is Divisor; not read otherwise.</summary>
    /// <value>The default is 1. Must be positive and finite.</value>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double Divisor { get; init; } = 1;
}

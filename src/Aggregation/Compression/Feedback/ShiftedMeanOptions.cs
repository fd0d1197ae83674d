using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Compression.Feedback;

/// <summary>Options of <see cref="ShiftedMean{T}"/>.</summary>
public sealed record ShiftedMeanOptions : AggregatorOptions
{
    /// <summary>N, all clients of the run, whether they take part or not: the mean of the shifts is over all of them.</summary>
    /// <value>The default is 1. Must be at least 1.</value>
    [Range(1, int.MaxValue)]
    public int Clients { get; init; } = 1;
}

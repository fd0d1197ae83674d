using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Anarchic;

/// <summary>Options of <see cref="AnarchicMemory{T}"/>.</summary>
public sealed record AnarchicMemoryOptions : AggregatorOptions
{
    /// <summary>N, the clients that the mean is over, those not yet heard of counting as 0; 0 takes the mean over the clients heard so far.</summary>
    /// <value>The default is 0. Must be 0 or more.</value>
    [Range(0, int.MaxValue)]
    public int Clients { get; init; }
}

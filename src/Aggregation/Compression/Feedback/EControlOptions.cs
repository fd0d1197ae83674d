using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Compression.Feedback;

/// <summary>Options of <see cref="EControl{T}"/>.</summary>
public sealed record EControlOptions : FeedbackOptions
{
    /// <summary>η, how strongly the accumulated error is fed back; 0 is EF21.</summary>
    /// <value>The default is 0.1. Must be in [0, 1].</value>
    [Range(0.0, 1.0)]
    public double Strength { get; init; } = 0.1;
}

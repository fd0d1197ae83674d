using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Averaging;

/// <summary>Options of <see cref="WeightedMean{T}"/>.</summary>
public sealed record WeightedMeanOptions : AggregatorOptions, IValidatableObject
{
    /// <summary>What the weighted sum is divided by.</summary>
    /// <value>The default is WeightSum, FedAvg's. FedBuff's is Count.</value>
    [EnumDataType(typeof(Normalisation))]
    public Normalisation Normalisation { get; init; } = Normalisation.WeightSum;

    /// <summary>The number to divide by when <see cref="Normalisation"/> is Divisor; must be left out otherwise.</summary>
    /// <value>The default is null. Must be positive and finite.</value>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double? Divisor { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Problem() is { } problem)
        {
            yield return new ValidationResult(problem, [nameof(Normalisation), nameof(Divisor)]);
        }
    }

    /// <summary>What is wrong with the two together; null when nothing is.</summary>
    internal string? Problem() => (Normalisation, Divisor) switch
    {
        (Normalisation.Divisor, null) => "A mean normalised by a divisor needs one: set divisor.",
        (Normalisation.Divisor, <= 0 or double.NaN or double.PositiveInfinity) => $"A mean's divisor must be positive and finite; it was {Divisor}.",
        (not Normalisation.Divisor, not null) => $"A divisor is set, but the mean is normalised by {Normalisation}: remove divisor, or set normalisation to divisor.",
        _ => null,
    };
}

using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Aggregation.Staleness;

/// <summary>A staleness function and its settings, as <c>kind</c> names it in configuration.</summary>
/// <remarks>
/// Computed from constants each time: multiplying a stored factor at every arrival, as some published code does, decays for ever.
/// </remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(ConstantStaleness), StalenessWeights.Constant)]
[JsonDerivedType(typeof(PolynomialStaleness), StalenessWeights.Polynomial)]
[JsonDerivedType(typeof(HingeStaleness), StalenessWeights.Hinge)]
[JsonDerivedType(typeof(ExponentialStaleness), StalenessWeights.Exponential)]
[JsonDerivedType(typeof(ThresholdStaleness), StalenessWeights.Threshold)]
public abstract record StalenessWeight : IStalenessWeight, IValidatableObject
{
    /// <summary>
    /// The staleness whose updates have weight 1: weights are divided by s of it. 0 gives the papers' functions; FLSim's default of 1
    /// makes a fresh update weigh more than 1 (√2 under FedBuff's polynomial).
    /// </summary>
    /// <value>The default is 0. Must be 0 or more.</value>
    [Range(0, int.MaxValue)]
    public int UnitAt { get; init; }

    [JsonIgnore]
    public abstract string Name { get; }

    public double Of(int staleness)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(staleness);

        // s(0) is exactly 1 in every function, so that the default divides by nothing.
        return UnitAt == 0 ? Raw(staleness) : Raw(staleness) / Raw(UnitAt);
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!(Raw(UnitAt) > 0))
        {
            yield return new ValidationResult(
                $"The {Name} staleness weight is 0 at staleness {UnitAt}, so that it cannot be the unit: lower unitAt.", [nameof(UnitAt)]);
        }
    }

    /// <summary>The paper's s(τ), with s(0) = 1.</summary>
    protected abstract double Raw(int staleness);
}

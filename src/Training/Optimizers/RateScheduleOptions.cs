using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Training.Optimizers;

/// <summary>The course of the clients' learning rate over a run; <c>kind</c> names it in configuration (see <see cref="RateSchedules"/>).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(ConstantRate), RateSchedules.Constant)]
[JsonDerivedType(typeof(StepRate), RateSchedules.Step)]
[JsonDerivedType(typeof(ExponentialRate), RateSchedules.Exponential)]
[JsonDerivedType(typeof(InverseSquareRootRate), RateSchedules.InverseSquareRoot)]
[JsonDerivedType(typeof(CosineRate), RateSchedules.Cosine)]
public abstract record RateScheduleOptions;

/// <summary>η throughout.</summary>
public sealed record ConstantRate : RateScheduleOptions;

/// <summary>η·fᵏ after k times <see cref="Every"/> versions.</summary>
public sealed record StepRate : RateScheduleOptions
{
    /// <value>The default is 100 versions. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int Every { get; init; } = 100;

    /// <value>The default is 0.1. Must be in (0, 1].</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double Factor { get; init; } = 0.1;
}

/// <summary>η·fᵗ at version t.</summary>
public sealed record ExponentialRate : RateScheduleOptions
{
    /// <value>The default is 0.998. Must be in (0, 1].</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double Factor { get; init; } = 0.998;
}

/// <summary>η/√(1 + t/warm) at version t.</summary>
public sealed record InverseSquareRootRate : RateScheduleOptions
{
    /// <summary>Versions over which the rate stays of the order of η.</summary>
    /// <value>The default is 10. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int Warm { get; init; } = 10;
}

/// <summary>Half a cosine from η at the start to <see cref="Floor"/>·η at the run's last version.</summary>
public sealed record CosineRate : RateScheduleOptions
{
    /// <value>The default is 0. Must be in [0, 1].</value>
    [Range(0.0, 1.0)]
    public double Floor { get; init; }
}

using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Aggregation.ServerOptimizers;

/// <summary>Which server optimizer a run has, and its settings; <c>kind</c> names it in configuration.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(SgdOptions), ServerOptimizers.Sgd)]
[JsonDerivedType(typeof(MomentumOptions), ServerOptimizers.Momentum)]
[JsonDerivedType(typeof(NesterovOptions), ServerOptimizers.Nesterov)]
[JsonDerivedType(typeof(DelayedNesterovOptions), ServerOptimizers.DelayedNesterov)]
[JsonDerivedType(typeof(AdagradOptions), ServerOptimizers.Adagrad)]
[JsonDerivedType(typeof(YogiOptions), ServerOptimizers.Yogi)]
[JsonDerivedType(typeof(AdamOptions), ServerOptimizers.Adam)]
public abstract record ServerOptimizerOptions;

/// <summary>Options of <see cref="Sgd{T}"/>.</summary>
public sealed record SgdOptions : ServerOptimizerOptions
{
    /// <summary>η_g, what the pseudo-gradient is multiplied by.</summary>
    /// <value>The default is 1: FedAvg. Must be positive.</value>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 1;
}

/// <summary>Options of <see cref="Momentum{T}"/>.</summary>
public sealed record MomentumOptions : ServerOptimizerOptions
{
    /// <summary>η_g, what the momentum is multiplied by.</summary>
    /// <value>The default is 1. Must be positive.</value>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 1;

    /// <summary>β, the share of the momentum that is kept.</summary>
    /// <value>The default is 0.9. Must be in [0, 1).</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Momentum { get; init; } = 0.9;
}

/// <summary>Options of <see cref="Nesterov{T}"/>.</summary>
public sealed record NesterovOptions : ServerOptimizerOptions
{
    /// <summary>η_g, what the step is multiplied by.</summary>
    /// <value>The default is 0.7, DiLoCo's. Must be positive.</value>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 0.7;

    /// <summary>β, the share of the momentum that is kept.</summary>
    /// <value>The default is 0.9. Must be in [0, 1).</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Momentum { get; init; } = 0.9;
}

/// <summary>Options of <see cref="DelayedNesterov{T}"/>.</summary>
public sealed record DelayedNesterovOptions : ServerOptimizerOptions, IValidatableObject
{
    /// <summary>ε, what the step is multiplied by.</summary>
    /// <value>The default is 0.7. Must be positive.</value>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 0.7;

    /// <summary>β, the share of the momentum that is kept.</summary>
    /// <value>The default is 0.9. Must be in [0, 1).</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Momentum { get; init; } = 0.9;

    /// <summary>N, the steps between two momentum updates; the number of clients in flight, each of which makes one step.</summary>
    /// <value>There is no default. Must be 1 or more; 1 is plain Nesterov.</value>
    [Range(1, 1 << 20)]
    public required int Window { get; init; }

    /// <summary>c, the share of the old momentum that each step inside a window takes ahead of its end.</summary>
    /// <value>The default is 0. Must be in [0, 1/N].</value>
    [Range(0.0, 1.0)]
    public double Activation { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Activation * Window > 1)
        {
            yield return new ValidationResult(
                $"An activation of {Activation} over a window of {Window} steps exceeds the whole momentum: lower activation to 1/window or less.",
                [nameof(Activation), nameof(Window)]);
        }
    }
}

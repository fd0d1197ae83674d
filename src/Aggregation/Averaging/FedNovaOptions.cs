using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Averaging;

/// <summary>Options of <see cref="FedNova{T}"/>.</summary>
public sealed record FedNovaOptions : AggregatorOptions
{
    /// <summary>What the length of the common step, τ_eff, is averaged from.</summary>
    /// <value>The default is StepWeights, the paper's.</value>
    [EnumDataType(typeof(EffectiveSteps))]
    public EffectiveSteps EffectiveSteps { get; init; } = EffectiveSteps.StepWeights;
}

/// <summary>From what FedNova's τ_eff is averaged.</summary>
public enum EffectiveSteps
{
    /// <summary>τ_eff = Σ p_i·‖a_i‖₁, the paper's.</summary>
    StepWeights,

    /// <summary>τ_eff = Σ p_i·K_i, what the authors' code does for clients with a proximal term.</summary>
    LocalSteps,
}

using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Coordinator.Scheduling;

/// <summary>How much work an assignment asks for; <c>kind</c> names it in configuration (see <see cref="StepPolicies"/>).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(FixedWorkOptions), StepPolicies.Fixed)]
[JsonDerivedType(typeof(DynamicLocalUpdatesOptions), StepPolicies.DynamicLocalUpdates)]
[JsonDerivedType(typeof(QuadraticSynchronizationOptions), StepPolicies.QuadraticSynchronization)]
public abstract record StepPolicyOptions;

/// <summary>What the training section says, for every assignment.</summary>
public sealed record FixedWorkOptions : StepPolicyOptions;

/// <summary>DyLU: steps in proportion to a client's measured speed.</summary>
public sealed record DynamicLocalUpdatesOptions : StepPolicyOptions
{
    /// <summary>H, the steps of the fastest client.</summary>
    /// <value>The default is 50. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int Steps { get; init; } = 50;
}

/// <summary>QSR: max(H_base, ⌊(α/η)²⌋) steps at client learning rate η.</summary>
public sealed record QuadraticSynchronizationOptions : StepPolicyOptions
{
    /// <summary>H_base.</summary>
    /// <value>The default is 4. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int BaseSteps { get; init; } = 4;

    /// <summary>α.</summary>
    /// <value>The default is 0.0175, the paper's for ViT-B with Local AdamW. Must be above 0.</value>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double Coefficient { get; init; } = 0.0175;
}

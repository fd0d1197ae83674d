using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Training.Optimizers;

/// <summary>Which optimizer clients run, and its settings; <c>kind</c> names it in configuration (see <see cref="LocalOptimizers"/>).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(SgdOptions), LocalOptimizers.Sgd)]
[JsonDerivedType(typeof(AdamOptions), LocalOptimizers.Adam)]
public abstract record LocalOptimizerOptions
{
    /// <summary>η, the step size at the start of the run.</summary>
    /// <value>The default is 0.1 for SGD and 0.001 for Adam. Must be above 0.</value>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double LearningRate { get; init; }

    /// <summary>λ, the weight decay.</summary>
    /// <value>The default is 0: none. Must be 0 or more.</value>
    [Range(0.0, double.MaxValue)]
    public double WeightDecay { get; init; }

    /// <summary>The largest Euclidean norm a gradient may have, all parameters together; a longer one is scaled down to it, before weight decay.</summary>
    /// <value>The default is 0: no clipping. Must be 0 or more.</value>
    [Range(0.0, double.MaxValue)]
    public double ClipNorm { get; init; }

    private protected LocalOptimizerOptions(double learningRate) => LearningRate = learningRate;
}

/// <summary>Stochastic gradient descent, with or without momentum.</summary>
public sealed record SgdOptions : LocalOptimizerOptions
{
    public SgdOptions()
        : base(0.1)
    {
    }

    /// <summary>ρ, the momentum; its buffer starts at zero in every assignment.</summary>
    /// <value>The default is 0. Must be in [0, 1).</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Momentum { get; init; }

    /// <summary>Nesterov's form of the momentum.</summary>
    /// <value>The default is false.</value>
    public bool Nesterov { get; init; }
}

/// <summary>Adam, or AdamW when the weight decay is decoupled.</summary>
public sealed record AdamOptions : LocalOptimizerOptions
{
    public AdamOptions()
        : base(0.001)
    {
    }

    /// <summary>β₁, the decay of the gradient's mean.</summary>
    /// <value>The default is 0.9. Must be in [0, 1).</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>β₂, the decay of the squared gradient's mean.</summary>
    /// <value>The default is 0.999. Must be in [0, 1).</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta2 { get; init; } = 0.999;

    /// <summary>ε, added to the denominator.</summary>
    /// <value>The default is 1e-8. Must be above 0.</value>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Whether weight decay shrinks the parameters directly (AdamW) instead of joining the gradient (L2).</summary>
    /// <value>The default is true.</value>
    public bool DecoupledWeightDecay { get; init; } = true;
}

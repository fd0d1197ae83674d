using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.ServerOptimizers;

/// <summary>What Adagrad, Yogi and Adam have in common; the defaults are the paper's.</summary>
public abstract record AdaptiveOptions : ServerOptimizerOptions
{
    /// <summary>η_g, what the adapted step is multiplied by.</summary>
    /// <value>The default is 0.1. Must be positive. The paper tunes it per task, between 10^−2.5 and 10.</value>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 0.1;

    /// <summary>τ, the degree of adaptivity: what is added to √v; the smaller, the more each coordinate's own scale counts.</summary>
    /// <value>The default is 0.001. Must be positive.</value>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double Epsilon { get; init; } = 1e-3;

    /// <summary>v before the first step.</summary>
    /// <value>The default is null, which means ε², the paper's. Must be 0 or more; Keras and the paper's experiments start from 0.</value>
    [Range(0.0, 1e12)]
    public double? InitialAccumulator { get; init; }
}

/// <summary>Options of <see cref="Adagrad{T}"/>.</summary>
public sealed record AdagradOptions : AdaptiveOptions
{
    /// <summary>β₁, the share of the first moment that is kept.</summary>
    /// <value>The default is 0, the paper's FedAdagrad. Must be in [0, 1).</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta1 { get; init; }

    /// <summary>Divides by √(v + ε) as TensorFlow Federated does, instead of √v + ε.</summary>
    /// <value>The default is false, the paper's form.</value>
    public bool EpsilonInsideRoot { get; init; }
}

/// <summary>Options of <see cref="Yogi{T}"/>.</summary>
public sealed record YogiOptions : AdaptiveOptions
{
    /// <summary>β₁, the share of the first moment that is kept.</summary>
    /// <value>The default is 0.9. Must be in [0, 1).</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>β₂; 1 − β₂ is the part of d² by which v moves at most.</summary>
    /// <value>The default is 0.99. Must be in [0, 1).</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta2 { get; init; } = 0.99;

    /// <summary>Divides m by 1 − β₁^t and v by 1 − β₂^t, as Keras does and the paper does not.</summary>
    /// <value>The default is false, the paper's form.</value>
    public bool BiasCorrection { get; init; }
}

/// <summary>Options of <see cref="Adam{T}"/>.</summary>
public sealed record AdamOptions : AdaptiveOptions
{
    /// <summary>β₁, the share of the first moment that is kept.</summary>
    /// <value>The default is 0.9. Must be in [0, 1).</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>β₂, the share of the second moment that is kept.</summary>
    /// <value>The default is 0.99. Must be in [0, 1).</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta2 { get; init; } = 0.99;

    /// <summary>Divides m by 1 − β₁^t and v by 1 − β₂^t, as Keras does and the paper does not.</summary>
    /// <value>The default is false, the paper's form.</value>
    public bool BiasCorrection { get; init; }
}

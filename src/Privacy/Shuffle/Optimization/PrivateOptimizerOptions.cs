using System.ComponentModel.DataAnnotations;

namespace Federated.Privacy.Shuffle.Optimization;

/// <summary>The optimiser that runs over private vector sums.</summary>
public enum PrivateOptimizerKind
{
    /// <summary>Mini-batch projected SGD with averaged iterates: for losses that need not be smooth.</summary>
    Sgd,

    /// <summary>Accelerated stochastic approximation: for β-smooth losses.</summary>
    Accelerated,

    /// <summary>The accelerated method on each loss's Moreau envelope: for losses that are not smooth.</summary>
    Smoothed,
}

/// <summary>Options of <see cref="PrivateConvexOptimizer"/>.</summary>
public sealed record PrivateOptimizerOptions
{
    /// <value>The default is <c>Sgd</c>.</value>
    public PrivateOptimizerKind Kind { get; init; } = PrivateOptimizerKind.Sgd;

    /// <summary>Users in a batch; each user is in one batch only.</summary>
    /// <value>No default. Must be in [1, 1000000000].</value>
    [Range(1, 1_000_000_000)]
    public int BatchSize { get; init; }

    /// <summary>Radius D of the ball around 0 that is searched.</summary>
    /// <value>The default is 1. Must be in (0, 1e9].</value>
    [Range(0.0, 1e9, MinimumIsExclusive = true)]
    public double Radius { get; init; } = 1;

    /// <summary>β: the loss's smoothness for <c>Accelerated</c>, the envelope's for <c>Smoothed</c> (0 takes the theory's).</summary>
    /// <value>The default is 0. Must be in [0, 1e12].</value>
    [Range(0.0, 1e12)]
    public double Smoothness { get; init; }

    /// <summary>Step size; 0 takes the theory's for the protocol's noise.</summary>
    /// <value>The default is 0. Must be in [0, 1e9].</value>
    [Range(0.0, 1e9)]
    public double StepSize { get; init; }
}

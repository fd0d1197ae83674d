using System.ComponentModel.DataAnnotations;

namespace Federated.Privacy.Local.Regression;

/// <summary>Options of <see cref="SparseRegression"/>.</summary>
public sealed record SparseRegressionOptions
{
    /// <summary>d, features of a client's row.</summary>
    /// <value>No default. Must be in [1, 1000]; above about 20 the answer is noise for any realistic number of clients.</value>
    [Range(1, 1000)]
    public int Dimension { get; init; }

    /// <summary>k, non-zero coefficients to keep.</summary>
    /// <value>No default. Must be in [1, Dimension].</value>
    [Range(1, 1000)]
    public int Sparsity { get; init; }

    /// <summary>ε of a client's one report.</summary>
    /// <value>The default is 4. Must be in [0.001, 100].</value>
    [Range(0.001, 100.0)]
    public double Epsilon { get; init; } = 4;

    /// <summary>δ of a client's one report.</summary>
    /// <value>The default is 1e-5. Must be in (0, 1).</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double Delta { get; init; } = 1e-5;

    /// <summary>r: rows longer than this are scaled down to it.</summary>
    /// <value>The default is 1. Must be in (0, 1e9].</value>
    [Range(0.0, 1e9, MinimumIsExclusive = true)]
    public double FeatureBound { get; init; } = 1;

    /// <summary>τ: targets are clamped to [−τ, τ].</summary>
    /// <value>The default is 1. Must be in (0, 1e9].</value>
    [Range(0.0, 1e9, MinimumIsExclusive = true)]
    public double TargetBound { get; init; } = 1;
}

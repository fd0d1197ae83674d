using System.ComponentModel.DataAnnotations;

namespace Federated.Privacy.Clipping;

/// <summary>How the clipping bound follows a quantile of update norms.</summary>
public sealed record AdaptiveClipOptions
{
    /// <summary>γ, the quantile of norms to follow.</summary>
    /// <value>The default is 0.5. Must be in [0, 1].</value>
    [Range(0.0, 1.0)]
    public double TargetQuantile { get; init; } = 0.5;

    /// <summary>η_C of the geometric step.</summary>
    /// <value>The default is 0.2. Must be in (0, 10].</value>
    [Range(0.0, 10.0, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 0.2;

    /// <summary>C₀.</summary>
    /// <value>The default is 0.1. Must be in (0, 1e6].</value>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double InitialBound { get; init; } = 0.1;

    /// <summary>Public floor of the bound.</summary>
    /// <value>The default is 1e-6. Must be in [1e-9, 1e6].</value>
    [Range(1e-9, 1e6)]
    public double MinBound { get; init; } = 1e-6;

    /// <summary>Public ceiling of the bound.</summary>
    /// <value>The default is 1e6. Must be in (0, 1e9].</value>
    [Range(0.0, 1e9, MinimumIsExclusive = true)]
    public double MaxBound { get; init; } = 1e6;

    /// <summary>σ_b, the standard deviation of the noise on the sum of centred bits; 0 takes a twentieth of the cohort, or z if that is more.</summary>
    /// <value>The default is 0. Must be in [0, 1e9].</value>
    [Range(0.0, 1e9)]
    public double BitNoise { get; init; }
}

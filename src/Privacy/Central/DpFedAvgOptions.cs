using System.ComponentModel.DataAnnotations;

namespace Federated.Privacy.Central;

/// <summary>Central Gaussian noise, independent from release to release.</summary>
public sealed record DpFedAvgOptions
{
    /// <value>C, the L2 bound of one client's whole update. The default is 1. Must be in [1e-9, 1e9].</value>
    [Range(1e-9, 1e9)]
    public double ClipNorm { get; init; } = 1;

    /// <value>z: noise standard deviation over C. The default is 1. Must be in (0, 1e6].</value>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double NoiseMultiplier { get; init; } = 1;

    /// <value>qN or m: the public number that sums are divided by. No default. Must be in (0, 1e12].</value>
    [Range(0.0, 1e12, MinimumIsExclusive = true)]
    public double ExpectedCohort { get; init; }
}

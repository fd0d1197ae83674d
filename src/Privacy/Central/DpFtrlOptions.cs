using System.ComponentModel.DataAnnotations;
using Federated.Privacy.Central.Factorizations;

namespace Federated.Privacy.Central;

/// <summary>Central Gaussian noise, correlated from release to release, for runs whose cohorts are not sampled at random.</summary>
public sealed record DpFtrlOptions
{
    /// <value>C, the L2 bound of one client's whole update. The default is 1. Must be in [1e-9, 1e9].</value>
    [Range(1e-9, 1e9)]
    public double ClipNorm { get; init; } = 1;

    /// <value>σ: noise multiplier of one whole tree or matrix. The default is 1. Must be in (0, 1e6].</value>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double NoiseMultiplier { get; init; } = 1;

    /// <value>The public number that sums are divided by. No default. Must be in (0, 1e12].</value>
    [Range(0.0, 1e12, MinimumIsExclusive = true)]
    public double ExpectedCohort { get; init; }

    /// <value>Releases that the whole run makes. No default. Must be in [1, 1000000].</value>
    [Range(1, 1_000_000)]
    public int Steps { get; init; }

    /// <value>The factorisation, one of <see cref="FactorizationNames"/>. The default is <c>blt</c>.</value>
    public string Factorization { get; init; } = FactorizationNames.BufferedLinear;

    /// <value>k, the most often that a client contributes between two restarts. The default is 1. Must be in [1, 1000000].</value>
    [Range(1, 1_000_000)]
    public int MaxParticipations { get; init; } = 1;

    /// <value>b, the least number of steps between two contributions of a client. The default is 1. Must be in [1, 1000000].</value>
    [Range(1, 1_000_000)]
    public int MinSeparation { get; init; } = 1;

    /// <value>Diagonals of the banded factorisations; 0 means MinSeparation. The default is 0. Must be in [0, 100000].</value>
    [Range(0, 100_000)]
    public int Bands { get; init; }

    /// <value>Buffers of <c>blt</c>. The default is 4. Must be in [1, 16].</value>
    [Range(1, 16)]
    public int Buffers { get; init; } = 4;

    /// <value>Steps after which the factorisation starts afresh; 0 means never. The default is 0. Must be in [0, 1000000].</value>
    [Range(0, 1_000_000)]
    public int RestartEvery { get; init; }
}

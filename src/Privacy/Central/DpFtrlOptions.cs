using System.ComponentModel.DataAnnotations;
using Federated.Privacy.Central.Factorizations;

namespace Federated.Privacy.Central;

/// <summary>Central Gaussian noise, correlated from release to release, for runs whose cohorts are not sampled at random.</summary>
public sealed record DpFtrlOptions : CentralMechanismOptions
{
    /// <summary>Releases that the whole run makes; 0 takes the run's planned versions.</summary>
    /// <value>The default is 0. Must be in [0, 1000000].</value>
    [Range(0, 1_000_000)]
    public int Steps { get; init; }

    /// <summary>The factorisation, one of <see cref="FactorizationNames"/>.</summary>
    /// <value>The default is <c>blt</c>.</value>
    public string Factorization { get; init; } = FactorizationNames.BufferedLinear;

    /// <summary>k, the most often that a client contributes between two restarts.</summary>
    /// <value>The default is 1. Must be in [1, 1000000].</value>
    [Range(1, 1_000_000)]
    public int MaxParticipations { get; init; } = 1;

    /// <summary>b, the least number of steps between two contributions of a client.</summary>
    /// <value>The default is 1. Must be in [1, 1000000].</value>
    [Range(1, 1_000_000)]
    public int MinSeparation { get; init; } = 1;

    /// <summary>Diagonals of the banded factorisations; 0 means MinSeparation.</summary>
    /// <value>The default is 0. Must be in [0, 100000].</value>
    [Range(0, 100_000)]
    public int Bands { get; init; }

    /// <summary>Buffers of <c>blt</c>.</summary>
    /// <value>The default is 4. Must be in [1, 16].</value>
    [Range(1, 16)]
    public int Buffers { get; init; } = 4;

    /// <summary>Steps after which the factorisation starts afresh; 0 means never.</summary>
    /// <value>The default is 0. Must be in [0, 1000000].</value>
    [Range(0, 1_000_000)]
    public int RestartEvery { get; init; }
}

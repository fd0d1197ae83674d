using System.ComponentModel.DataAnnotations;

namespace Federated.Privacy.Distributed;

/// <summary>Options of <see cref="DistributedDiscreteGaussian{T}"/>.</summary>
public sealed record DistributedDiscreteGaussianOptions
{
    /// <summary>c, the L2 bound of one client's update.</summary>
    /// <value>The default is 1. Must be in [1e-9, 1e9].</value>
    [Range(1e-9, 1e9)]
    public double ClipNorm { get; init; } = 1;

    /// <summary>s = 1/γ: grid units in one unit of the update.</summary>
    /// <value>No default. Must be in (0, 1e12].</value>
    [Range(0.0, 1e12, MinimumIsExclusive = true)]
    public double Scale { get; init; }

    /// <summary>σ_l: standard deviation of each client's own noise, in units of the update; s·σ_l must be at least 4.</summary>
    /// <value>No default. Must be in (0, 1e9].</value>
    [Range(0.0, 1e9, MinimumIsExclusive = true)]
    public double LocalDeviation { get; init; }

    /// <summary>n: clients planned for one sum; the modulus is chosen for it.</summary>
    /// <value>No default. Must be in [1, 10000000].</value>
    [Range(1, 10_000_000)]
    public int Clients { get; init; }

    /// <summary>b, of the modulus 2^b; 0 takes the least at which a sum almost never wraps (four deviations).</summary>
    /// <value>The default is 0. Must be in [0, 62].</value>
    [Range(0, 62)]
    public int ModulusBits { get; init; }

    /// <summary>β: probability with which a rounding may be rejected, against a tighter norm bound; 0 takes the worst-case bound.</summary>
    /// <value>The default is e^(−1/2). Must be in [0, 1).</value>
    [Range(0.0, 1.0, MaximumIsExclusive = true)]
    public double Beta { get; init; } = 0.60653065971263342;
}

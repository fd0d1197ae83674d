using System.ComponentModel.DataAnnotations;

namespace Federated.Privacy.Bandits;

/// <summary>Options of <see cref="FederatedLinearBandit"/>.</summary>
public sealed record LinearBanditOptions
{
    /// <summary>d, features of an arm.</summary>
    /// <value>No default. Must be in [1, 100].</value>
    [Range(1, 100)]
    public required int Dimension { get; init; }

    /// <summary>M, silos that serve users at the same time.</summary>
    /// <value>The default is 10. Must be in [1, 10000].</value>
    [Range(1, 10_000)]
    public int Silos { get; init; } = 10;

    /// <summary>Users of one silo between two synchronisations: fixed, because a moment chosen by the data would tell of them.</summary>
    /// <value>The default is 50. Must be in [1, 1000000].</value>
    [Range(1, 1_000_000)]
    public int BatchUsers { get; init; } = 50;

    /// <summary>Batches that the noise is planned for.</summary>
    /// <value>No default. Must be in [1, 1000000].</value>
    [Range(1, 1_000_000)]
    public required int Batches { get; init; }

    /// <summary>Who is trusted with what users did.</summary>
    /// <value>The default is <see cref="BanditTrust.Central"/>.</value>
    public BanditTrust Trust { get; init; } = BanditTrust.Central;

    /// <summary>ε of one user, over everything that is ever published.</summary>
    /// <value>The default is 1. Must be in [0.001, 100].</value>
    [Range(0.001, 100.0)]
    public double Epsilon { get; init; } = 1;

    /// <summary>δ of one user.</summary>
    /// <value>The default is 1e-6. Must be in (0, 1).</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double Delta { get; init; } = 1e-6;

    /// <summary>λ.</summary>
    /// <value>The default is 1. Must be in (0, 1e9].</value>
    [Range(0.0, 1e9, MinimumIsExclusive = true)]
    public double Ridge { get; init; } = 1;

    /// <summary>R, of the rewards' sub-Gaussian noise.</summary>
    /// <value>The default is 0.5. Must be in [0, 1e6].</value>
    [Range(0.0, 1e6)]
    public double RewardNoise { get; init; } = 0.5;

    /// <summary>S, a bound of ‖θ‖.</summary>
    /// <value>The default is 1. Must be in (0, 1e6].</value>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public double ParameterBound { get; init; } = 1;

    /// <summary>α, with which a confidence set may fail.</summary>
    /// <value>The default is 0.01. Must be in (0, 1).</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double Failure { get; init; } = 0.01;

    /// <summary>Factor on the confidence width; below 1 explores less than the theory asks for.</summary>
    /// <value>The default is 1. Must be in [0, 10].</value>
    [Range(0.0, 10.0)]
    public double Exploration { get; init; } = 1;

    /// <summary>g of the shuffled sums.</summary>
    /// <value>The default is 64. Must be in [1, 4096].</value>
    [Range(1, 4096)]
    public int ShuffleLevels { get; init; } = 64;
}

/// <summary>Who is trusted with users' contexts and rewards.</summary>
public enum BanditTrust
{
    /// <summary>Everybody: no noise.</summary>
    None,

    /// <summary>Each silo with its own users; each adds its own noise before anything leaves it (silo-level local privacy; <see cref="TrustModel.Silo"/>).</summary>
    Silo,

    /// <summary>A shuffler, with the order of messages that carry their users' noise.</summary>
    Shuffle,

    /// <summary>The server, which adds noise to the sums.</summary>
    Central,
}

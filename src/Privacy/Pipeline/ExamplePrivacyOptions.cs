using System.ComponentModel.DataAnnotations;

namespace Federated.Privacy.Pipeline;

/// <summary>
/// DP-SGD on every client: each single example is protected against everybody who sees its client's updates, the server included. A client as a
/// whole is not: whoever trusts nobody with that a client took part, or with what its examples have in common, needs another policy.
/// </summary>
/// <remarks>Abadi et al., "Deep Learning with Differential Privacy", CCS 2016, https://arxiv.org/abs/1607.00133; carried out by trainers that have per-example gradients (<c>trainer: torch</c>).</remarks>
public sealed record ExamplePrivacyOptions : PrivacyOptions
{
    /// <summary>C, the largest L2 norm of one example's gradient, all parameters together.</summary>
    /// <value>The default is 1. Must be in [1e-9, 1e9].</value>
    [Range(1e-9, 1e9)]
    public double ClipNorm { get; init; } = 1;

    /// <summary>z: the noise on a step's sum of clipped gradients has standard deviation z·C.</summary>
    /// <value>The default is 1. Must be in [0.01, 1000].</value>
    [Range(0.01, 1000.0)]
    public double NoiseMultiplier { get; init; } = 1;

    /// <summary>q, the probability with which each example takes part in a step, by a coin of its own. Public: not to be computed from the data.</summary>
    /// <value>The default is 0.01. Must be in (0, 1].</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double SamplingRate { get; init; } = 0.01;

    /// <summary>The most often that one client may take part; 0 for no limit but the budget's.</summary>
    /// <value>The default is 0. Must be in [0, 1000000].</value>
    [Range(0, 1_000_000)]
    public int MaxParticipations { get; init; }

    /// <summary>The largest ε that any example may be charged over the run at <see cref="Delta"/>; 0 for no limit.</summary>
    /// <value>The default is 0. Must be in [0, 1000].</value>
    [Range(0.0, 1000.0)]
    public double Epsilon { get; init; }

    /// <summary>δ of the composed guarantee; well below one over the examples of any client.</summary>
    /// <value>The default is 1e-6. Must be in (0, 1).</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double Delta { get; init; } = 1e-6;
}

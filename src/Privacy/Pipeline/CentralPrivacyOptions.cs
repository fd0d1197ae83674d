using System.ComponentModel.DataAnnotations;
using Federated.Privacy.Central;
using Federated.Privacy.Clipping;

namespace Federated.Privacy.Pipeline;

/// <summary>The server clips updates, adds them up and adds noise: it is trusted; whoever sees only the models is not.</summary>
public sealed record CentralPrivacyOptions : PrivacyOptions
{
    /// <summary>How noise is added.</summary>
    /// <value>The default is <c>dp-fedavg</c>.</value>
    [Required]
    public CentralMechanismOptions Mechanism { get; init; } = new DpFedAvgOptions();

    /// <summary>The largest ε that may be spent at <see cref="Delta"/>; 0 for no limit.</summary>
    /// <value>The default is 0. Must be in [0, 1000].</value>
    [Range(0.0, 1000.0)]
    public double Epsilon { get; init; }

    /// <summary>δ of the guarantee; well below one over the number of clients.</summary>
    /// <value>The default is 1e-6. Must be in (0, 1).</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double Delta { get; init; } = 1e-6;

    /// <summary>
    /// The most often that one client may contribute, where each contribution is charged to it; 0 for no limit but the budget's. Not with
    /// <c>dp-ftrl</c>, which has its own, nor with a sampling that is claimed.
    /// </summary>
    /// <value>The default is 0. Must be in [0, 1000000].</value>
    [Range(0, 1_000_000)]
    public int MaxParticipations { get; init; }

    /// <summary>Whether, and from what sampling, amplification is claimed. Only what the scheduler really does can be claimed.</summary>
    /// <value>The default is <see cref="SamplingClaim.None"/>.</value>
    public SamplingClaim Sampling { get; init; }

    /// <summary>Lets the clipping bound follow a quantile of norms, charged for; only with <c>dp-fedavg</c>.</summary>
    /// <value>The default is none: the bound is fixed.</value>
    public AdaptiveClipOptions? AdaptiveClipping { get; init; }
}

/// <summary>Amplification by sampling that a policy may claim.</summary>
public enum SamplingClaim
{
    /// <summary>Nothing: each client is charged for every release that it contributes to. Holds under every scheduler.</summary>
    None,

    /// <summary>Every client is included in every release by an independent secret coin.</summary>
    Poisson,

    /// <summary>Every release draws exactly m of the n clients uniformly, in secret; stated for replace-one, where sensitivity is twice the bound.</summary>
    FixedSize,
}

using System.ComponentModel.DataAnnotations;
using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Privacy.Randomness;

namespace Federated.Client.TorchSharp.Privacy;

/// <summary>
/// DP-SGD on the client: every example of the client is protected against everybody who sees its updates, the server included. What breaks
/// it: telling the loss or the exact number of examples, choosing the settings by looking at the data, or seeded randomness.
/// </summary>
public sealed record DpSgdOptions
{
    /// <summary>C, the largest L2 norm of one example's gradient, all parameters together.</summary>
    /// <value>The default is 1. Must be above 0.</value>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double ClipNorm { get; init; } = 1;

    /// <summary>z: the noise on a sum of clipped gradients has standard deviation z·C.</summary>
    /// <value>The default is 1. Must be above 0.</value>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double NoiseMultiplier { get; init; } = 1;

    /// <summary>q, the probability with which each example takes part in a step, by a coin of its own. Public: not to be computed from the data.</summary>
    /// <value>The default is 0.01. Must be in (0, 1].</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double SamplingRate { get; init; } = 0.01;

    /// <summary>Where coins and noise come from.</summary>
    /// <value>The default is null: a cryptographic source for each trainer. Anything seeded protects nobody.</value>
    public IRandomSource? Random { get; init; }

    /// <summary>Whether coins and noise follow from each task's seed: for simulations, whose results are to be repeated. It protects nobody.</summary>
    internal bool IsSeededByTask { get; init; }

    /// <summary>What a client's examples are protected by after so many steps in all, over all of its assignments.</summary>
    /// <param name="steps">Local steps that the client has done with these settings.</param>
    /// <param name="delta">δ, well below one over the number of examples.</param>
    /// <exception cref="PrivacyException">The randomness is seeded, so that there is no guarantee to state.</exception>
    public PrivacyGuarantee Guarantee(long steps, double delta, IPrivacyAccountant? accountant = null)
    {
        if (Random is { IsCryptographic: false } || IsSeededByTask)
        {
            throw new PrivacyException($"The noise comes from {Random?.Description ?? "the task's seed"}: there is no guarantee to state. Leave Random out, or give a cryptographic source.");
        }

        var step = new PoissonSampledEvent(SamplingRate, GaussianEvent.ForClippedSum(new NeighbourRelation(PrivacyUnit.Example, Adjacency.AddRemove), NoiseMultiplier * ClipNorm, ClipNorm));
        var guarantee = (accountant ?? new PldAccountant()).GuaranteeAtDelta(new RepeatedEvent(step, steps), delta);
        return guarantee with
        {
            Trust = TrustModel.Local,
            Assumptions =
            [
                .. guarantee.Assumptions,
                "The client's own device adds the noise; sampling rate, batch size and number of steps were chosen without looking at its data, and its losses and number of examples are not released.",
            ],
        };
    }

    internal void Check()
    {
        if (!(ClipNorm > 0) || !(NoiseMultiplier > 0) || !(SamplingRate is > 0 and <= 1))
        {
            throw new PrivacyException(
                $"DP-SGD needs a clip norm and a noise multiplier above 0 and a sampling rate in (0, 1]; they are {ClipNorm}, {NoiseMultiplier} and {SamplingRate}.");
        }
    }
}

using System.Numerics;
using Federated.Privacy;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Randomness;

namespace Federated.Coordinator.Privacy;

/// <summary>
/// The privacy of a run as its model state meets it: every accepted update passes <see cref="Admit"/> on its way into the aggregate, and what
/// comes out passes <see cref="Release"/> before anybody sees it. One object holds policy and noise, so that no host can use one without the other.
/// </summary>
/// <remarks>
/// A release that a durable host repeats after a crash gets the same noise (<see cref="ReleaseRandom"/>), and its charges are those of the
/// state that the repetition started from. One owner; not thread-safe.
/// </remarks>
public sealed class PrivateRelease<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Weights are shares of the largest weight; what rounding puts above 1 is 1.</summary>
    private const double Rounding = 1e-9;

    private readonly RunFacts facts;
    private readonly ReleaseRandom random;
    private int releases;

    /// <param name="options">The policy.</param>
    /// <param name="facts">What the run does; see <see cref="StrategyFacts"/>.</param>
    /// <param name="random">Owned by this object from here on.</param>
    /// <exception cref="PrivacyException">The policy could not keep its word in this run; the message says why and what to change.</exception>
    public PrivateRelease(PrivacyOptions options, RunFacts facts, ReleaseRandom random)
    {
        ArgumentNullException.ThrowIfNull(facts);
        (this.facts, this.random) = (facts, random);
        Policy = PrivacyPolicies.Create<T>(options, facts, random);
    }

    public PrivacyPolicy<T> Policy { get; }

    /// <summary>What is true of the run beyond the guarantee, and bears on it; for statements.</summary>
    public RunFacts Facts => facts;

    /// <inheritdoc cref="PrivacyPolicy{T}.TakesPlainSum"/>
    public bool TakesPlainSum => Policy.TakesPlainSum;

    /// <summary>Charges an update and makes it fit for the aggregate, in place.</summary>
    /// <param name="client">Whose it is.</param>
    /// <param name="delta">d coordinates, as they came.</param>
    /// <param name="weight">The update's weight as the scheduler gives it.</param>
    /// <returns>Why the update is left out; null when it is not.</returns>
    public string? Admit(int client, Span<T> delta, double weight)
    {
        var share = weight / facts.LargestWeight;
        var refusal = Policy.Admit(client, delta, share is > 1 and <= 1 + Rounding ? 1 : share);
        if (refusal is not null)
        {
            Policy.Witness(client);
        }

        return refusal;
    }

    /// <summary>Turns what the admitted updates were combined to into what may be published, in place.</summary>
    /// <param name="combined">d coordinates: the plain sum where <see cref="TakesPlainSum"/>, else the run's mean.</param>
    /// <param name="updates">Updates in the batch, those left out included.</param>
    /// <exception cref="PrivacyException">The release would exceed what the policy covers; nothing was released.</exception>
    public void Release(Span<T> combined, int updates)
    {
        random.Begin(releases);
        Policy.Release(combined, updates);
        releases++;
    }

    /// <summary>Everything that a restart needs so that no budget is refunded and no noise drawn anew; the key of the noise is the host's to keep.</summary>
    public PolicyState<T> Save() => Policy.Save();

    /// <summary>Continues from a saved state.</summary>
    public void Restore(PolicyState<T> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Policy.Restore(state);
        releases = state.Releases;
    }

    public void Dispose() => random.Dispose();
}

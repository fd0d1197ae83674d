using System.Collections.Immutable;

namespace Federated.Privacy.Accounting;

/// <summary>
/// Gaussian noise on a query whose sensitivity is itself random and unseen: with probability <c>Probabilities[i]</c> the unit moves it by
/// <c>Sensitivities[i]</c>. Poisson sampling is the case of the two sensitivities 0 and 1.
/// </summary>
/// <remarks>
/// Choquette-Choo, Ganesh, Steinke, Thakurta, "Privacy Amplification for Matrix Mechanisms", ICLR 2024: in one dimension, by
/// non-negativity, this dominates vectors of those norms. Privacy loss distribution only.
/// </remarks>
public sealed record GaussianMixtureEvent : MechanismEvent
{
    /// <exception cref="PrivacyException">The noise is not positive, a sensitivity negative, or the probabilities do not add to 1.</exception>
    public GaussianMixtureEvent(
        NeighbourRelation relation, double standardDeviation, IReadOnlyList<double> sensitivities, IReadOnlyList<double> probabilities)
        : base(relation)
    {
        ArgumentNullException.ThrowIfNull(sensitivities);
        ArgumentNullException.ThrowIfNull(probabilities);
        StandardDeviation = EventGuard.Positive(standardDeviation, "A mixture's noise standard deviation");
        if (sensitivities.Count == 0 || sensitivities.Count != probabilities.Count || !sensitivities.All(s => s >= 0 && double.IsFinite(s))
            || !probabilities.All(p => p >= 0) || !(Math.Abs(probabilities.Sum() - 1) < 1e-9))
        {
            throw new PrivacyException(
                "A Gaussian mixture needs as many sensitivities, zero or more, as probabilities, which add to 1; "
                + $"there are {sensitivities.Count} and {probabilities.Count}, adding to {probabilities.Sum()}.");
        }

        if (relation.Adjacency == Adjacency.ReplaceOne)
        {
            throw new PrivacyException(
                "A mixture of sensitivities is stated for add-remove and zero-out, where the other data set has sensitivity 0, but replace-one was asked for.");
        }

        (Sensitivities, Probabilities) = ([.. sensitivities], [.. probabilities]);
    }

    /// <value>σ of the noise.</value>
    public double StandardDeviation { get; }

    /// <value>Possible changes of the query by one unit.</value>
    public ImmutableArray<double> Sensitivities { get; }

    /// <value>Their probabilities.</value>
    public ImmutableArray<double> Probabilities { get; }

    /// <inheritdoc/>
    public override IEnumerable<string> Assumptions => ["Which change a unit makes is decided by coins that the adversary does not see."];

    /// <inheritdoc/>
    public bool Equals(GaussianMixtureEvent? other) =>
        other is not null && Relation == other.Relation && StandardDeviation.Equals(other.StandardDeviation)
        && Sensitivities.SequenceEqual(other.Sensitivities) && Probabilities.SequenceEqual(other.Probabilities);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Relation, StandardDeviation, Sensitivities.Length, Probabilities[0], Probabilities[^1]);
}

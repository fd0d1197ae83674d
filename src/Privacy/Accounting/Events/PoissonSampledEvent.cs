namespace Federated.Privacy.Accounting;

/// <summary>A mechanism run on a random subset in which every unit is included independently with the same probability.</summary>
/// <remarks>
/// The amplification rests on coins that really were flipped and that the adversary does not see. A scheduler that takes exactly m
/// clients does not sample this way; see <see cref="FixedSizeSampledEvent"/>.
/// </remarks>
public sealed record PoissonSampledEvent(double Probability, PrivacyEvent Inner) : PrivacyEvent(Require(Inner).Relation)
{
    /// <value>q: probability of each unit's inclusion. In [0, 1].</value>
    public double Probability { get; } = EventGuard.Probability(Probability, "A sampling probability");

    /// <inheritdoc/>
    public override IEnumerable<string> Assumptions =>
        Probability == 1
            ? Inner.Assumptions
            : [.. Inner.Assumptions,
                $"Each unit is included independently with probability {Probability:G6} in every step, by coins that the adversary does not see."];

    private static PrivacyEvent Require(PrivacyEvent inner)
    {
        ArgumentNullException.ThrowIfNull(inner);
        return inner.Relation.Adjacency != Adjacency.ReplaceOne
            ? inner
            : throw new PrivacyException(
                "Amplification by Poisson sampling is stated for add-remove and zero-out, but the sampled event is under replace-one: "
                + "restate its sensitivity under add-remove, or use fixed-size sampling.");
    }
}

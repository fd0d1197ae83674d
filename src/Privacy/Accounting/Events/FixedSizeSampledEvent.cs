namespace Federated.Privacy.Accounting;

/// <summary>A mechanism run on a uniformly random subset of exactly m of n units, drawn without replacement and kept secret.</summary>
/// <remarks>
/// Balle, Barthe, Gaboardi, "Privacy Amplification by Subsampling", NeurIPS 2018, theorem 9: δ(ε) = (m/n)·δ₀(ln(1 + (e^ε − 1)·n/m)) under
/// replace-one, where δ₀ is the mechanism's own curve under replace-one.
/// </remarks>
public sealed record FixedSizeSampledEvent(long Population, long SampleSize, PrivacyEvent Inner) : PrivacyEvent(Require(Inner).Relation)
{
    /// <value>n: units to draw from. At least 1.</value>
    public long Population { get; } = EventGuard.Positive(Population, "A population");

    /// <value>m: units drawn. In [1, n].</value>
    public long SampleSize { get; } = EventGuard.Positive(SampleSize, "A sample size") <= Population
        ? SampleSize
        : throw new PrivacyException($"A sample without replacement cannot be larger than its population: {SampleSize} of {Population}.");

    /// <value>m/n.</value>
    public double Fraction => (double)SampleSize / Population;

    /// <inheritdoc/>
    public override IEnumerable<string> Assumptions =>
        SampleSize == Population
            ? Inner.Assumptions
            : [.. Inner.Assumptions,
                $"Each step draws exactly {SampleSize} of {Population} units uniformly without replacement, by a choice that the adversary does not see."];

    private static PrivacyEvent Require(PrivacyEvent inner)
    {
        ArgumentNullException.ThrowIfNull(inner);
        return inner.Relation.Adjacency == Adjacency.ReplaceOne
            ? inner
            : throw new PrivacyException(
                $"Amplification by fixed-size sampling is stated for replace-one, but the sampled event is under {inner.Relation}: "
                + "restate its sensitivity under replace-one (twice the clip norm).");
    }
}

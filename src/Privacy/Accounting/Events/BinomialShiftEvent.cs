namespace Federated.Privacy.Accounting;

/// <summary>
/// A sum of integers, of which one user moves it by at most <see cref="Shift"/>, hidden by binomial noise Bin(<see cref="Trials"/>, p): what a
/// shuffler's output of one-bit messages reveals.
/// </summary>
/// <remarks>See <see cref="Amplification.ShuffledSum"/>. Privacy loss distribution only: the edge of the support is an infinite loss.</remarks>
public sealed record BinomialShiftEvent(PrivacyUnit Unit, long Trials, double Probability, long Shift)
    : MechanismEvent(new NeighbourRelation(Unit, Adjacency.ReplaceOne))
{
    /// <value>N: noise bits in the whole batch, of honest users. At least 1.</value>
    public long Trials { get; } = EventGuard.Positive(Trials, "The number of noise bits");

    /// <value>p: probability of each noise bit, strictly between 0 and 1.</value>
    public double Probability { get; } = Probability is > 0 and < 1
        ? Probability
        : throw new PrivacyException($"A noise bit's probability lies strictly between 0 and 1, but is {Probability}.");

    /// <value>g: largest change of the sum by one user. At least 1.</value>
    public long Shift { get; } = EventGuard.Positive(Shift, "A shift");

    /// <inheritdoc/>
    public override TrustModel Trust => TrustModel.Shuffle;

    /// <inheritdoc/>
    public override IEnumerable<string> Assumptions =>
    [
        "The noise bits counted are those of honest users whose messages are in the batch, and every user sends the same number of messages.",
        "The shuffler permutes all one-bit messages of the batch uniformly and keeps the permutation secret.",
    ];
}

using Federated.Privacy.Amplification;

namespace Federated.Privacy.Accounting;

/// <summary>
/// One batch of at least <see cref="Reports"/> reports, each randomised on its device and then permuted by a trusted shuffler; replace-one
/// on the reports.
/// </summary>
/// <remarks>
/// Composes through the dominating pair of Feldman, McMillan and Talwar 2023 (see <see cref="ShuffleBound.Fmt23"/>), which for many rounds
/// is far below adding up each round's ε.
/// </remarks>
public sealed record ShuffledEvent(PrivacyUnit Unit, LocalRandomizer Randomizer, long Reports)
    : MechanismEvent(new NeighbourRelation(Unit, Adjacency.ReplaceOne))
{
    /// <value>What each client applies to its report.</value>
    public LocalRandomizer Randomizer { get; } = Randomizer ?? throw new ArgumentNullException(nameof(Randomizer));

    /// <value>n: honest reports that certainly are in the batch. At least 1.</value>
    public long Reports { get; } = EventGuard.Positive(Reports, "The number of reports in a shuffled batch");

    /// <inheritdoc/>
    public override TrustModel Trust => TrustModel.Shuffle;

    /// <inheritdoc/>
    public override IEnumerable<string> Assumptions => ShuffleAmplification.Assumptions(Randomizer, Reports);
}

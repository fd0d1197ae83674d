using Federated.Privacy.Amplification;

namespace Federated.Privacy.Analytics;

/// <summary>What an analysis guarantees a client that reports once, without and with a shuffler.</summary>
public static class AnalysisGuarantees
{
    /// <summary>Against everybody: the report's own ε₀.</summary>
    public static PrivacyGuarantee Local(PrivateAnalysis analysis)
    {
        ArgumentNullException.ThrowIfNull(analysis);
        return new()
        {
            Epsilon = analysis.Epsilon,
            Delta = 0,
            Relation = NeighbourRelation.ReplaceOneClient,
            Trust = TrustModel.Local,
            Accountant = "local-randomizer",
            Assumptions =
            [
                "Each client reports once: the coordinator gives it one assignment, and the client keeps a memory of its own.",
                "The client's device draws its randomness from a cryptographic source.",
                analysis.Groups > 1 ? "Groups are drawn by coins that do not depend on data." : "All clients are asked the same.",
            ],
        };
    }

    /// <summary>Against whoever sees shuffled reports only: amplified by the batch.</summary>
    /// <param name="analysis">The analysis. One with groups is shuffled group by group: what a group is is public.</param>
    /// <param name="honest">Honest reports certainly in a batch.</param>
    /// <param name="delta">δ.</param>
    public static PrivacyGuarantee Shuffled(PrivateAnalysis analysis, long honest, double delta)
    {
        var local = Local(analysis);
        return local with
        {
            Epsilon = ShuffleAmplification.Epsilon(ShuffleBound.Fmt23, LocalRandomizer.Generic(analysis.Epsilon), honest, delta),
            Delta = delta,
            Trust = TrustModel.Shuffle,
            Accountant = "shuffle-fmt23",
            Assumptions =
            [
                .. local.Assumptions,
                $"A shuffler that does not collude with the coordinator releases batches with {honest} honest reports or more of one group, in random order.",
                "A report carries nothing that tells its sender: its hash seed, where it has one, is its own and not one assigned to the client.",
                $"Against a coordinator that colludes with the shuffler, each report has ε = {analysis.Epsilon:G6}.",
            ],
        };
    }
}

using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Statements;

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

    /// <summary>δ at which a served analysis states its ε: its reports need none, but ledgers that compose several runs do.</summary>
    public const double StatedDelta = 1e-9;

    /// <summary>What a served analysis says: local reports, one of each client.</summary>
    public static PrivacyStatement Statement(PrivateAnalysis analysis)
    {
        var local = Local(analysis);
        var terms = new PolicyTerms
        {
            Mechanism = analysis.Kind,
            Relation = local.Relation,
            ReportEpsilon = analysis.Epsilon,
            Delta = StatedDelta,
            Limits = OneReport,
        };

        // As whoever composes the report would count it: never below, so that no ledger finds the statement to promise more than its numbers give.
        var counted = new PldAccountant().Epsilon(new RandomizedResponseEvent(NeighbourRelation.ReplaceOneParticipation, analysis.Epsilon, 2), StatedDelta);
        return new()
        {
            Policy = PrivacyPolicies.Local,
            Terms = terms,
            Planned = local with { Epsilon = Math.Max(local.Epsilon, counted), Delta = StatedDelta },
            Parties = StatementParts.Parties(PrivacyPolicies.Local, terms, StatementSetting.Served),
            NotProtected = StatementParts.NotProtected(PrivacyPolicies.Local, terms, StatementSetting.Served),
        };
    }

    /// <summary>What a served analysis says whose reports pass a shuffler: ε after amplification, and what is left without the shuffler.</summary>
    /// <param name="analysis">The question.</param>
    /// <param name="batch">Fewest reports of a batch; of one group where there are groups.</param>
    /// <param name="corrupt">Reports of each batch that are taken to hide nobody.</param>
    /// <param name="delta">δ.</param>
    /// <param name="shufflers">Names, first to last.</param>
    /// <exception cref="PrivacyException">The batch hides nobody.</exception>
    public static PrivacyStatement ShuffledStatement(PrivateAnalysis analysis, int batch, int corrupt, double delta, IReadOnlyList<string> shufflers)
    {
        var honest = batch - corrupt;
        if (honest < 2)
        {
            throw new PrivacyException($"Shuffling needs at least 2 honest reports in a batch; the least batch is {batch}, of which {corrupt} are assumed corrupt.");
        }

        var amplified = Shuffled(analysis, honest, delta);
        var terms = new PolicyTerms
        {
            Mechanism = analysis.Kind,
            Relation = amplified.Relation,
            ReportEpsilon = analysis.Epsilon,
            MinimumBatch = batch,
            AssumedCorrupt = corrupt,
            Delta = delta,
            Limits = OneReport,
            WithoutShuffling = Statement(analysis).Planned,
        };
        var setting = StatementSetting.Served with { Shufflers = shufflers };

        // As a client's ledger composes it: never below.
        var counted = new PldAccountant().Epsilon(new ShuffledEvent(PrivacyUnit.ClientParticipation, LocalRandomizer.Generic(analysis.Epsilon), honest), delta);
        return new()
        {
            Policy = PrivacyPolicies.Shuffle,
            Terms = terms,
            Planned = amplified with { Epsilon = Math.Max(amplified.Epsilon, counted) },
            Parties = StatementParts.Parties(PrivacyPolicies.Shuffle, terms, setting),
            NotProtected = StatementParts.NotProtected(PrivacyPolicies.Shuffle, terms, setting),
        };
    }

    /// <summary>A client is asked once, whatever becomes of its answer: a report that came too late has been seen.</summary>
    public static ParticipationLimits OneReport { get; } = new() { Cap = 1, CountsAssignments = true, Because = "as often as a client is asked" };

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

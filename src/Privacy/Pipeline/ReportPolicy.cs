using System.Collections.Immutable;
using System.Numerics;
using Federated.Privacy.Accounting;
using Federated.Privacy.Amplification;
using Federated.Privacy.Clipping;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Pipeline;

/// <summary>
/// The local and the shuffle policy: one randomised report a client. The server averages reports, which is post-processing; under the shuffle
/// policy it may do so only for batches of at least the size that the amplification was computed for.
/// </summary>
internal sealed class ReportPolicy<T> : PrivacyPolicy<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly RandomizedReportOptions options;
    private readonly RunFacts facts;
    private readonly IRandomSource random;
    private readonly IUnitVectorRandomizer<T> randomizer;
    private readonly ParticipationCharges charges;
    private readonly int minimumBatch;
    private readonly Lazy<PrivacyGuarantee?> withoutShuffling;
    private int releases;

    public ReportPolicy(RandomizedReportOptions options, RunFacts facts, IRandomSource random)
    {
        (this.options, this.facts, this.random) = (options, facts, random);
        if (facts.SendsMoreThanTheUpdate)
        {
            throw new PrivacyException(
                "The local objective sends vectors beside the update (control variates), which the policy would leave bare. Use an objective that sends none.");
        }

        if (!facts.WeightsArePublic)
        {
            throw new PrivacyException(
                "Updates are weighted by their number of examples, which is private data of the clients. Use equal weights (or weights by staleness).");
        }

        if (facts.WorkTellsExamples)
        {
            throw new PrivacyException(
                "Work is given in epochs, so that the steps which a client does, and how long they take, tell how many examples it has. Give the same number of steps to everybody (training.steps).");
        }

        randomizer = UnitVectorRandomizers.Create<T>(options.Randomizer, options.ReportEpsilon, facts.Dimension + 1);
        MechanismEvent? bare = null;
        MechanismEvent report = new RandomizedResponseEvent(NeighbourRelation.ReplaceOneParticipation, randomizer.Epsilon, 2);
        if (options is ShufflePrivacyOptions shuffle)
        {
            minimumBatch = MinimumBatch(shuffle, facts);
            bare = report;
            report = new ShuffledEvent(
                PrivacyUnit.ClientParticipation, LocalRandomizer.Generic(randomizer.Epsilon), minimumBatch - shuffle.AssumedCorrupt);
        }

        // Two reports of one client in one batch would be shuffled together, which the amplification is not computed for.
        charges = new ParticipationCharges(
            report, options.MaxParticipations, options.Epsilon, options.Delta, oncePerRelease: options is ShufflePrivacyOptions);
        withoutShuffling = new(() => bare is null || charges.Cap == 0 ? null
            : new ParticipationAccountant<int>(new ParticipationAccountantOptions { Delta = options.Delta, ParticipationCap = charges.Cap }).GuaranteeAtCap(bare));
    }

    public override string Kind => options is ShufflePrivacyOptions ? PrivacyPolicies.Shuffle : PrivacyPolicies.Local;

    public override bool TakesPlainSum => false;

    public override PrivacyGuarantee? Planned => Qualify(Describe(charges.Planned), random);

    public override PrivacyGuarantee? Spent => Qualify(Describe(charges.Spent), random);

    public override IReadOnlyDictionary<int, (int Count, int LastStep)> Charges => charges.Participations;

    public override PolicyTerms Terms => new()
    {
        Mechanism = randomizer.Name,
        Relation = NeighbourRelation.ReplaceOneClient,
        ClipNorm = options.ClipNorm,
        ReportEpsilon = randomizer.Epsilon,
        MinimumBatch = minimumBatch,
        AssumedCorrupt = options is ShufflePrivacyOptions shuffle ? shuffle.AssumedCorrupt : 0,
        EpsilonBudget = options.Epsilon,
        Delta = options.Delta,
        Limits = Limits,
        WithoutShuffling = withoutShuffling.Value,
    };

    public override long ReportBytes => randomizer.ReportBytes;

    /// <summary>Fewest reports of a release; 0 under the local policy.</summary>
    public int MinimumBatchSize => minimumBatch;

    public override ParticipationLimits Limits => charges.Limits;

    public override IClientProtection<T> CreateClient() => ForClient(options, facts.Dimension);

    public override string? RefusalFor(int client) => charges.RefusalFor(client);

    public override (int Count, int LastStep)? ChargeOf(int client) => charges.ChargeOf(client);

    public override PrivacyGuarantee? SpentBy(int client) => Qualify(Describe(charges.SpentBy(client)), random);

    public override string? Admit(int client, Span<T> delta, double weight)
    {
        var norm = L2Clip.Norm(delta, maxThreads: 0);
        var bound = options.ClipNorm * randomizer.ReportNormBound;
        return !(norm <= bound)
            ? $"the report's norm is {norm:G6}; no honest report of this randomiser is longer than {bound:G6}"
            : charges.Charge(client, releases);
    }

    public override void Witness(int client) => charges.ChargeSeen(client, releases);

    /// <summary>The client's side, which needs no more than the options and d.</summary>
    public static IClientProtection<T> ForClient(RandomizedReportOptions options, int dimension) => new Client(
        new LocalUpdateRandomizer<T>(UnitVectorRandomizers.Create<T>(options.Randomizer, options.ReportEpsilon, dimension + 1), options.ClipNorm));

    public override string? RefusalToRelease(int updates) => updates < minimumBatch
        ? $"the batch has {updates} reports; shuffling was accounted for {minimumBatch} or more"
        : null;

    public override void Release(Span<T> combined, int updates)
    {
        if (RefusalToRelease(updates) is { } refusal)
        {
            throw new PrivacyException($"The release was refused: {refusal}.");
        }

        releases++;
    }

    public override PolicyState<T> Save() => new(releases, options.ClipNorm, charges.Participations.ToImmutableDictionary(), []);

    public override void Restore(PolicyState<T> state)
    {
        releases = state.Releases;
        charges.Restore(state.Participations);
    }

    private PrivacyGuarantee? Describe(PrivacyGuarantee? guarantee) => guarantee is null ? null : guarantee with
    {
        Assumptions =
        [
            .. guarantee.Assumptions,
            randomizer.IsExact
                ? "The report is exact by construction: no real number that depends on the data leaves the device."
                : $"The {randomizer.Name} law is that of real arithmetic; reports are rounded to a fixed grid.",
            $"Against a server that colludes with everybody else, each report has ε = {randomizer.Epsilon:G6}.",
        ],
    };

    private static int MinimumBatch(ShufflePrivacyOptions options, RunFacts facts)
    {
        if (!facts.WeightsAreEqual)
        {
            throw new PrivacyException("A shuffled report has no sender, no age and no weight of its own: use equal weights, without staleness.");
        }

        var minimum = options.MinBatch > 0 ? options.MinBatch : facts.LeastUpdatesPerRelease;
        if (minimum - options.AssumedCorrupt < 2)
        {
            throw new PrivacyException(
                $"Shuffling needs at least 2 honest reports in a batch; the least batch is {minimum}, of which {options.AssumedCorrupt} are assumed corrupt.");
        }

        return minimum > facts.LeastUpdatesPerRelease
            ? throw new PrivacyException(
                $"The policy needs batches of {minimum} reports, but the scheduler may release {facts.LeastUpdatesPerRelease}: raise the cohort or the goal, or lower minBatch.")
            : minimum;
    }

    private sealed class Client(LocalUpdateRandomizer<T> randomizer) : IClientProtection<T>
    {
        public ClipReport Protect(Span<T> delta, IRandomSource random) => randomizer.Randomize(delta, random);
    }
}

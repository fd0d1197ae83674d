using System.Collections.Immutable;
using System.Numerics;
using Federated.Privacy.Clipping;
using Federated.Privacy.Randomness;
using Federated.Privacy.SecureAggregation.Sums;

namespace Federated.Privacy.Pipeline;

/// <summary>
/// The policies under which the server sees only sums. What they admit is the mean of a session (as often as it had members), or in a simulation each update on
/// the grid and with the noise that its member adds, since masks fall away in a sum and change nothing of it.
/// </summary>
internal sealed class SecureSumPolicy<T> : PrivacyPolicy<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly SecureAggregationOptions options;
    private readonly IRandomSource random;
    private readonly ParticipationCharges? charges;
    private int releases;

    public SecureSumPolicy(SecureAggregationOptions options, RunFacts facts, IRandomSource random)
    {
        (this.options, this.random) = (options, random);
        if (facts.SendsMoreThanTheUpdate)
        {
            throw new PrivacyException(
                "The local objective sends vectors beside the update (control variates), which the policy would leave bare. Use an objective that sends none.");
        }

        if (options is DistributedPrivacyOptions && !facts.WeightsArePublic)
        {
            throw new PrivacyException(
                "Updates are weighted by their number of examples, which is private data of the clients. Use equal weights.");
        }

        if (options is DistributedPrivacyOptions && facts.WorkTellsExamples)
        {
            throw new PrivacyException(
                "Work is given in epochs, so that the steps which a client does, and how long they take, tell how many examples it has. Give the same number of steps to everybody (training.steps).");
        }

        Plan = SecureSumPlan.Of(options, facts);
        if (options is DistributedPrivacyOptions distributed)
        {
            // Two updates of a client in one sum would move it twice as far as the noise is for.
            charges = new ParticipationCharges(Plan.Event!, distributed.MaxParticipations, distributed.Epsilon, distributed.Delta, oncePerRelease: true);
        }
    }

    public SecureSumPlan Plan { get; }

    public override SecureSumPlan? SecureSum => Plan;

    public override string Kind => options is DistributedPrivacyOptions ? PrivacyPolicies.Distributed : PrivacyPolicies.SecureSum;

    public override bool TakesPlainSum => false;

    public override PrivacyGuarantee? Planned => Qualify(Describe(charges?.Planned), random);

    public override PrivacyGuarantee? Spent => Qualify(Describe(charges?.Spent), random);

    public override IReadOnlyDictionary<int, (int Count, int LastStep)> Charges =>
        charges?.Participations ?? ImmutableDictionary<int, (int, int)>.Empty;

    public override bool ChargesAssignments => charges is not null;

    public override bool Guarantees => charges is not null;

    public override PolicyTerms Terms => new()
    {
        Mechanism = charges is null ? "" : "distributed-discrete-gaussian",
        Relation = charges is null ? null : new NeighbourRelation(PrivacyUnit.Client, Adjacency.ZeroOut),
        ClipNorm = options.ClipNorm,
        NoiseMultiplier = Plan.LocalDeviation * Math.Sqrt(Plan.Honest) / options.ClipNorm,
        MinimumBatch = Plan.Minimum,
        AssumedCorrupt = Plan.Minimum - Plan.Honest,
        EpsilonBudget = (options as DistributedPrivacyOptions)?.Epsilon ?? 0,
        Delta = (options as DistributedPrivacyOptions)?.Delta ?? 0,
        Limits = Limits,
    };

    public override long ReportBytes => WordPacking.Bytes(Plan.CreateEncoding<float>().Length, options.Bits);

    public override ParticipationLimits Limits => charges?.Limits ?? ParticipationLimits.None;

    public override IClientProtection<T> CreateClient() => new Alone(Plan.CreateEncoding<T>());

    public override string? RefusalFor(int client) => charges?.RefusalFor(client);

    public override (int Count, int LastStep)? ChargeOf(int client) => charges?.ChargeOf(client);

    public override PrivacyGuarantee? SpentBy(int client) => Qualify(Describe(charges?.SpentBy(client)), random);

    public override string? Admit(int client, Span<T> delta, double weight) => charges?.Charge(client, releases);

    public override void Witness(int client) => charges?.ChargeSeen(client, releases);

    public override string? RefusalToRelease(int updates) => null;

    public override void Release(Span<T> combined, int updates) => releases++;

    public override PolicyState<T> Save() => new(
        releases, options.ClipNorm, charges?.Participations.ToImmutableDictionary() ?? ImmutableDictionary<int, (int, int)>.Empty, []);

    public override void Restore(PolicyState<T> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        releases = state.Releases;
        charges?.Restore(state.Participations);
    }

    private PrivacyGuarantee? Describe(PrivacyGuarantee? guarantee) => guarantee is null ? null : guarantee with
    {
        Assumptions =
        [
            .. guarantee.Assumptions,
            $"Sums are opened of at least {Plan.Minimum} members, of whom at least {Plan.Honest} are honest and add their noise.",
            "Members' identity keys are real: a server that could make up members could make up all but one.",
        ],
    };

    /// <summary>One update by itself, as a sum of one: on the grid, and with its own noise.</summary>
    private sealed class Alone(SumEncoding<T> encoding) : IClientProtection<T>
    {
        private static readonly byte[] Seed = new byte[32];
        private readonly uint[] words = new uint[encoding.Length];

        public ClipReport Protect(Span<T> delta, IRandomSource random)
        {
            var report = encoding.Encode(delta, 1, Seed, words, random);
            encoding.Decode(words, 1, Seed, delta);
            return report;
        }
    }
}

using System.Collections.Immutable;
using System.Numerics;
using Federated.Privacy.Accounting;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Pipeline;

/// <summary>The ledger of clients that train by DP-SGD: every assignment that a client works on costs its examples the steps of that assignment.</summary>
/// <remarks>
/// The noise is in the update when it leaves the device, so that the server has nothing to add, and whatever it does is post-processing. One
/// participation is K steps of the Poisson-sampled Gaussian mechanism, example added or removed; participations compose.
/// </remarks>
internal sealed class ExamplePolicy<T> : PrivacyPolicy<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Beyond this a budget is no limit.</summary>
    private const int MostParticipations = 1_000_000;

    private static readonly NeighbourRelation Relation = new(PrivacyUnit.Example, Adjacency.AddRemove);

    private readonly ExamplePrivacyOptions options;
    private readonly IRandomSource random;
    private readonly PldAccountant accountant = new();
    private readonly PrivacyEvent step;
    private readonly int steps;
    private readonly int cap;
    private readonly string limit = "all that the policy's cap allows";
    private readonly Dictionary<int, (int Count, int LastStep)> charged = [];
    private readonly Dictionary<int, PrivacyGuarantee> costs = [];
    private int releases, most;

    public ExamplePolicy(ExamplePrivacyOptions options, RunFacts facts, IRandomSource random)
    {
        (this.options, this.random, steps) = (options, random, facts.LocalSteps);
        if (!facts.WeightsArePublic)
        {
            throw new PrivacyException(
                "Updates are weighted by their number of examples, which DP-SGD's noise does not hide. Use equal weights (or weights by staleness).");
        }

        if (steps <= 0)
        {
            throw new PrivacyException(
                "DP-SGD is accounted step by step, and how many steps a client does must neither be unknown nor follow from its data. Give the same number to everybody (training.steps, with a fixed step policy).");
        }

        step = new PoissonSampledEvent(options.SamplingRate, GaussianEvent.ForClippedSum(Relation, options.NoiseMultiplier * options.ClipNorm, options.ClipNorm));
        cap = options.MaxParticipations;
        if (options.Epsilon > 0)
        {
            var affordable = (int)Calibration.Steps(accountant, new RepeatedEvent(step, steps), options.Epsilon, options.Delta, cap > 0 ? cap : MostParticipations);
            if (affordable == 0)
            {
                throw new PrivacyException(
                    $"One assignment of {steps} steps costs ε = {CostOf(1).Epsilon:G6} at δ = {options.Delta}, more than the whole budget of {options.Epsilon}: add noise, sample fewer examples, do fewer steps, or raise it.");
            }

            if (cap == 0 || affordable < cap)
            {
                (cap, limit) = (affordable, $"all that the budget of ε = {options.Epsilon} at δ = {options.Delta} allows");
            }
        }
    }

    public override string Kind => PrivacyPolicies.Example;

    public override bool TakesPlainSum => false;

    public override PrivacyGuarantee? Planned => cap > 0 ? Qualify(CostOf(cap), random) : null;

    public override PrivacyGuarantee? Spent => most > 0 ? Qualify(CostOf(most), random) : null;

    public override PrivacyGuarantee? SpentBy(int client) => charged.TryGetValue(client, out var record) ? Qualify(CostOf(record.Count), random) : null;

    public override PolicyTerms Terms => new()
    {
        Mechanism = "dp-sgd",
        Relation = Relation,
        ClipNorm = options.ClipNorm,
        NoiseMultiplier = options.NoiseMultiplier,
        EpsilonBudget = options.Epsilon,
        Delta = options.Delta,
        Limits = Limits,
    };

    public override long ReportBytes => 0;

    /// <summary>Who was given work is charged for it in advance: the server may see the update however late it comes.</summary>
    public override ParticipationLimits Limits => new()
    {
        Cap = cap, CountsAssignments = true, Because = cap > 0 ? limit : "",
    };

    /// <summary>Nothing: the trainer has done it, step by step.</summary>
    public override IClientProtection<T> CreateClient() => new LeaveToServer<T>();

    public override string? RefusalFor(int client) => cap > 0 && charged.GetValueOrDefault(client).Count >= cap
        ? $"client {client} has taken part {charged[client].Count} times, {limit}"
        : null;

    public override (int Count, int LastStep)? ChargeOf(int client) => charged.TryGetValue(client, out var record) ? record : null;

    public override string? Admit(int client, Span<T> delta, double weight)
    {
        if (RefusalFor(client) is { } refusal)
        {
            return refusal;
        }

        Charge(client);
        return null;
    }

    /// <summary>Whatever cap and budget say: it cannot be unseen.</summary>
    public override void Witness(int client) => Charge(client);

    public override string? RefusalToRelease(int updates) => null;

    public override void Release(Span<T> combined, int updates) => releases++;

    public override PolicyState<T> Save() => new(releases, options.ClipNorm, charged.ToImmutableDictionary(), []);

    public override void Restore(PolicyState<T> state)
    {
        releases = state.Releases;
        charged.Clear();
        most = 0;
        foreach (var (client, record) in state.Participations)
        {
            charged.Add(client, record);
            most = Math.Max(most, record.Count);
        }
    }

    private void Charge(int client)
    {
        var count = charged.GetValueOrDefault(client).Count + 1;
        charged[client] = (count, releases);
        most = Math.Max(most, count);
    }

    /// <summary>What so many participations of a client cost any of its examples.</summary>
    private PrivacyGuarantee CostOf(int participations) =>
        costs.TryGetValue(participations, out var known) ? known : costs[participations] = Describe(accountant.GuaranteeAtDelta(new RepeatedEvent(step, (long)steps * participations), options.Delta));

    private PrivacyGuarantee Describe(PrivacyGuarantee guarantee) => guarantee with
    {
        Trust = TrustModel.Local,
        Assumptions =
        [
            .. guarantee.Assumptions,
            $"Every client's own device clips each example's gradient to {options.ClipNorm:G6} and adds noise of {options.NoiseMultiplier:G6} times that in each of {steps} steps an assignment; the server takes its word for it.",
            "Sampling rate, batch size and number of steps were chosen without looking at the data, and losses and numbers of examples are not released.",
            "It is one example that is protected. That a client took part, and what all of its examples have in common, is not.",
        ],
    };
}

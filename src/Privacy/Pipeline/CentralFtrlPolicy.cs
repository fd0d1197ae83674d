using System.Collections.Immutable;
using System.Numerics;
using Federated.Privacy.Accounting;
using Federated.Privacy.Central;
using Federated.Privacy.Central.Factorizations;
using Federated.Privacy.Clipping;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Pipeline;

/// <summary>Central policy with correlated noise (DP-FTRL): the whole run is one release, and a gate keeps clients to the pattern it was planned for.</summary>
internal sealed class CentralFtrlPolicy<T> : PrivacyPolicy<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly DpFtrlOptions plan;
    private readonly IRandomSource random;
    private readonly DpFtrl<T> mechanism;
    private readonly GridClip clip;
    private readonly PrivacyGuarantee guarantee;
    private readonly double budget;
    private ParticipationGate gate;

    public CentralFtrlPolicy(CentralPrivacyOptions options, DpFtrlOptions mechanismOptions, RunFacts facts, IRandomSource random)
    {
        CentralSoundness.Require(facts);
        if (options.Sampling != SamplingClaim.None || options.AdaptiveClipping is not null || options.MaxParticipations > 0)
        {
            throw new PrivacyException(
                "Correlated noise claims no sampling, has its own limit on participations (mechanism.maxParticipations), and needs one clipping bound for "
                + "the whole run: leave sampling, maxParticipations and adaptiveClipping out, or use dp-fedavg.");
        }

        var steps = mechanismOptions.Steps > 0 ? mechanismOptions.Steps : facts.PlannedReleases;
        if (steps < 1)
        {
            throw new PrivacyException("Correlated noise is planned for a number of releases: set mechanism.steps, or end the run by versions.");
        }

        plan = mechanismOptions with { Steps = steps, ExpectedCohort = CentralSoundness.Cohort(mechanismOptions, facts), NoiseMultiplier = 1 };
        var perUnit = DpFtrl<T>.ChargedMultiplier(plan);
        var multiplier = mechanismOptions.NoiseMultiplier > 0 ? mechanismOptions.NoiseMultiplier
            : options.Epsilon > 0 ? AnalyticGaussian.NoiseMultiplier(options.Epsilon, options.Delta) / perUnit * (1 + 1e-9)
            : throw CentralSoundness.NeedsNoise(options.Epsilon);
        plan = plan with { NoiseMultiplier = multiplier };
        this.random = random;
        mechanism = new DpFtrl<T>(plan, facts.Dimension, random);
        clip = new GridClip(mechanism.ClipNorm, mechanism.GridStep);
        gate = NewGate();
        (guarantee, budget) = (Describe(options.Delta), options.Epsilon);
        if (options.Epsilon > 0 && guarantee.Epsilon > options.Epsilon)
        {
            throw new PrivacyException(
                $"The planned run costs ε = {guarantee.Epsilon:G6} at δ = {options.Delta}, more than the budget of {options.Epsilon}: raise the noise multiplier to "
                + $"{AnalyticGaussian.NoiseMultiplier(options.Epsilon, options.Delta) / perUnit:G6} (or set it to 0), or plan fewer trees.");
        }
    }

    public override string Kind => PrivacyPolicies.Central;

    public override bool TakesPlainSum => true;

    public override PrivacyGuarantee? Planned => Qualify(guarantee, random);

    /// <summary>Correlated noise is charged as a whole with the first release.</summary>
    public override PrivacyGuarantee? Spent => mechanism.Step > 0 ? Qualify(guarantee, random) : null;

    public override IReadOnlyDictionary<int, (int Count, int LastStep)> Charges => gate.Clients;

    public override PolicyTerms Terms => new()
    {
        Mechanism = mechanism.Name,
        Relation = guarantee.Relation,
        ClipNorm = mechanism.ClipNorm,
        NoiseMultiplier = DpFtrl<T>.ChargedMultiplier(plan),
        EpsilonBudget = budget,
        Delta = guarantee.Delta,
        Limits = Limits,
    };

    public override long ReportBytes => 0;

    public override ParticipationLimits Limits => new()
    {
        Releases = plan.Steps,
        Cap = plan.MaxParticipations,
        Separation = plan.MinSeparation,
        RestartEvery = plan.RestartEvery,
        Because = plan.RestartEvery > 0
            ? $"all that the guarantee covers in {plan.RestartEvery} releases"
            : "all that the guarantee covers",
    };

    public override IClientProtection<T> CreateClient() => new ClipOnly<T>(() => mechanism.ClipNorm);

    public override string? RefusalFor(int client) => gate.RefusalFor(client, mechanism.Step);

    public override (int Count, int LastStep)? ChargeOf(int client) => gate.Clients.TryGetValue(client, out var used) ? used : null;

    public override string? Admit(int client, Span<T> delta, double weight)
    {
        var refusal = CentralSoundness.RefusalOfWeight(weight) ?? gate.TryAdmit(client, mechanism.Step);
        if (refusal is not null)
        {
            return refusal;
        }

        L2Clip.Apply(delta, mechanism.ClipNorm);
        if (weight != 1)
        {
            VectorMath.Scale(delta, weight);
        }

        clip.Apply(delta);
        return null;
    }

    public override string? RefusalToRelease(int updates) => mechanism.Step < plan.Steps
        ? null
        : $"the guarantee covers {plan.Steps} releases and all are made";

    public override void Release(Span<T> combined, int updates)
    {
        mechanism.Release(combined);
        if (plan.RestartEvery > 0 && mechanism.Step % plan.RestartEvery == 0)
        {
            gate = NewGate(); // the next tree is charged for in full, whatever its clients did in this one
        }
    }

    public override PolicyState<T> Save() => new(
        mechanism.Step, mechanism.ClipNorm, gate.Clients.ToImmutableDictionary(),
        [.. mechanism.Noise.Buffers.Select(b => (ReadOnlyMemory<T>)b.ToArray())]);

    public override void Restore(PolicyState<T> state)
    {
        mechanism.Restore(state.Releases, state.Noise);
        gate = NewGate();
        gate.Restore(state.Participations);
    }

    private ParticipationGate NewGate() => new(new Participation(plan.MaxParticipations, plan.MinSeparation));

    private PrivacyGuarantee Describe(double delta)
    {
        var release = new GaussianEvent(new NeighbourRelation(PrivacyUnit.Client, Adjacency.ZeroOut), DpFtrl<T>.ChargedMultiplier(plan));
        var described = new AnalyticGaussianAccountant().GuaranteeAtDelta(release, delta);
        var trees = plan.RestartEvery == 0 ? "the run" : $"each stretch of {plan.RestartEvery} releases";
        return described with
        {
            Assumptions =
            [
                .. described.Assumptions,
                $"No client contributes more than {plan.MaxParticipations} times to {trees}, any two contributions at least {plan.MinSeparation} releases apart; a gate enforces it.",
            ],
        };
    }
}

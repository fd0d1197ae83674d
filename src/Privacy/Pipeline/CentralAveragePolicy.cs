using System.Collections.Immutable;
using System.Numerics;
using Federated.Privacy.Accounting;
using Federated.Privacy.Central;
using Federated.Privacy.Clipping;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Pipeline;

/// <summary>
/// Central policy with independent noise. Without a sampling claim each client pays for the releases that it really contributed to; with one,
/// the run pays for every release at the amplified price.
/// </summary>
internal sealed class CentralAveragePolicy<T> : PrivacyPolicy<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly CentralPrivacyOptions options;
    private readonly IRandomSource random;
    private readonly AdaptiveClip? adaptive;
    private readonly DpFedAvg<T> mechanism;
    private readonly ParticipationCharges? charges;
    private readonly PrivacyEvent? sampled;
    private readonly PldAccountant accountant = new();
    private readonly int plannedReleases;
    private readonly int affordable;
    private readonly string limit = "";
    private double bitSum;
    private int releases;
    private (int Releases, PrivacyGuarantee Guarantee)? spent;

    public CentralAveragePolicy(CentralPrivacyOptions options, DpFedAvgOptions mechanismOptions, RunFacts facts, IRandomSource random)
    {
        CentralSoundness.Require(facts);
        RequireSampling(options, facts);
        (this.options, this.random, plannedReleases) = (options, random, facts.PlannedReleases);
        var cohort = CentralSoundness.Cohort(mechanismOptions, facts);
        var multiplier = mechanismOptions.NoiseMultiplier > 0 ? mechanismOptions.NoiseMultiplier : Calibrate(options, facts);
        adaptive = options.AdaptiveClipping is { } clip ? Adaptive(clip, mechanismOptions, facts, multiplier) : null;
        mechanism = new DpFedAvg<T>(mechanismOptions with { NoiseMultiplier = multiplier, ExpectedCohort = cohort }, random, adaptive);
        if (options.Sampling == SamplingClaim.None)
        {
            charges = new ParticipationCharges(
                new GaussianEvent(NeighbourRelation.ZeroOutParticipation, mechanism.ChargedMultiplier), options.MaxParticipations, options.Epsilon, options.Delta,
                oncePerRelease: true);
        }
        else
        {
            sampled = Sampled(options.Sampling, facts, mechanism.ChargedMultiplier);
            if (options.Epsilon > 0 && accountant.Epsilon(sampled, options.Delta) > options.Epsilon)
            {
                throw new PrivacyException(
                    $"One release costs ε = {accountant.Epsilon(sampled, options.Delta):G6} at δ = {options.Delta}, more than the whole budget of {options.Epsilon}: add noise, or raise it.");
            }

            if (options.Epsilon > 0)
            {
                affordable = (int)Calibration.Steps(accountant, sampled, options.Epsilon, options.Delta, plannedReleases > 0 ? plannedReleases : 1_000_000);
                limit = $"all that the budget of ε = {options.Epsilon} at δ = {options.Delta} allows";
            }
        }
    }

    public override string Kind => PrivacyPolicies.Central;

    public override bool TakesPlainSum => true;

    public override PrivacyGuarantee? Planned => Qualify(
        charges is not null ? charges.Planned : plannedReleases > 0 ? Guarantee(plannedReleases) : null, random);

    public override PrivacyGuarantee? Spent
    {
        get
        {
            if (charges is not null)
            {
                return Qualify(charges.Spent, random);
            }

            if (releases > 0 && spent?.Releases != releases)
            {
                spent = (releases, Guarantee(releases)!);
            }

            return Qualify(spent?.Guarantee, random);
        }
    }

    public override IReadOnlyDictionary<int, (int Count, int LastStep)> Charges => charges?.Participations ?? base.Charges;

    public override PolicyTerms Terms => new()
    {
        Mechanism = mechanism.Name,
        Relation = new NeighbourRelation(PrivacyUnit.Client, sampled?.Relation.Adjacency ?? Adjacency.ZeroOut),
        ClipNorm = mechanism.Options.ClipNorm,
        ClipAdapts = adaptive is not null,
        NoiseMultiplier = mechanism.ChargedMultiplier,
        Sampling = options.Sampling,
        EpsilonBudget = options.Epsilon,
        Delta = options.Delta,
        Limits = Limits,
    };

    public override long ReportBytes => 0;

    public override ParticipationLimits Limits => charges?.Limits ?? new ParticipationLimits { Releases = affordable, Because = limit };

    public override IClientProtection<T> CreateClient() => adaptive is null ? new ClipOnly<T>(() => mechanism.ClipNorm) : new LeaveToServer<T>();

    public override string? RefusalFor(int client) => charges?.RefusalFor(client);

    public override (int Count, int LastStep)? ChargeOf(int client) => charges is null ? null : charges.ChargeOf(client);

    public override PrivacyGuarantee? SpentBy(int client) => charges is null ? Spent : Qualify(charges.SpentBy(client), random);

    public override string? Admit(int client, Span<T> delta, double weight)
    {
        var refusal = CentralSoundness.RefusalOfWeight(weight) ?? charges?.Charge(client, releases);
        if (refusal is not null)
        {
            return refusal;
        }

        // Clip, weigh, and move to the grid of the noise: from here on sums are exact and one client's share is at most C.
        var report = L2Clip.Apply(delta, mechanism.ClipNorm);
        bitSum += adaptive?.Bit(report.Norm) ?? 0;
        if (weight != 1)
        {
            VectorMath.Scale(delta, weight);
        }

        new GridClip(mechanism.ClipNorm, mechanism.GridStep).Apply(delta);
        return null;
    }

    public override string? RefusalToRelease(int updates) =>
        sampled is not null && options.Epsilon > 0 && releases >= affordable && accountant.Epsilon(sampled.Repeated(releases + 1L), options.Delta) > options.Epsilon
            ? $"one release more than {releases} would exceed the budget of ε = {options.Epsilon} at δ = {options.Delta}"
            : null;

    public override void Release(Span<T> combined, int updates)
    {
        if (RefusalToRelease(updates) is { } refusal)
        {
            throw new PrivacyException($"The release was refused: {refusal}.");
        }

        releases++; // charged before it is made
        mechanism.Release(combined);
        if (adaptive is not null)
        {
            mechanism.ReleaseBits(bitSum);
            bitSum = 0;
        }
    }

    public override PolicyState<T> Save() => new(
        releases, mechanism.ClipNorm, charges?.Participations.ToImmutableDictionary() ?? ImmutableDictionary<int, (int, int)>.Empty, []);

    public override void Restore(PolicyState<T> state)
    {
        releases = state.Releases;
        bitSum = 0;
        adaptive?.Restore(state.ClipNorm);
        charges?.Restore(state.Participations);
    }

    /// <summary>The bits are counted in updates a release, whatever the sums are divided by.</summary>
    private static AdaptiveClip Adaptive(AdaptiveClipOptions clip, DpFedAvgOptions mechanism, RunFacts facts, double multiplier)
    {
        var updates = mechanism.ExpectedCohort > 0 ? mechanism.ExpectedCohort : facts.UpdatesPerRelease;
        return updates > 0
            ? new AdaptiveClip(clip.BitNoise > 0 ? clip : clip with { BitNoise = AdaptiveClip.DefaultBitNoise(updates, multiplier) }, updates)
            : throw new PrivacyException("Adaptive clipping needs the public number of updates a release: set expectedCohort.");
    }

    private PrivacyGuarantee? Guarantee(int count) => accountant.GuaranteeAtDelta(sampled!.Repeated(count), options.Delta);

    private static double Calibrate(CentralPrivacyOptions options, RunFacts facts)
    {
        if (options.Epsilon > 0 && options.Sampling == SamplingClaim.None)
        {
            var participations = options.MaxParticipations > 0 ? options.MaxParticipations : facts.PlannedReleases;
            return participations > 0
                ? AnalyticGaussian.NoiseMultiplier(options.Epsilon, options.Delta) * Math.Sqrt(participations) * (1 + 1e-9)
                : throw CentralSoundness.NeedsNoise(options.Epsilon);
        }

        return options.Epsilon > 0 && facts.PlannedReleases > 0
            ? Calibration.NoiseMultiplier(
                new PldAccountant(), noise => Sampled(options.Sampling, facts, noise).Repeated(facts.PlannedReleases), options.Epsilon, options.Delta)
            : throw CentralSoundness.NeedsNoise(options.Epsilon);
    }

    /// <summary>One release. Under fixed-size sampling the adjacency is replace-one: the sum moves by up to 2C, so the multiplier halves.</summary>
    private static PrivacyEvent Sampled(SamplingClaim claim, RunFacts facts, double multiplier) => claim == SamplingClaim.Poisson
        ? new PoissonSampledEvent(facts.SamplingProbability, new GaussianEvent(NeighbourRelation.AddRemoveClient, multiplier))
        : new FixedSizeSampledEvent(facts.Clients, (long)facts.UpdatesPerRelease, new GaussianEvent(NeighbourRelation.ReplaceOneClient, multiplier / 2));

    private static void RequireSampling(CentralPrivacyOptions options, RunFacts facts)
    {
        if (options.Sampling != SamplingClaim.None && options.Sampling != facts.Sampling)
        {
            throw new PrivacyException(
                $"The policy claims amplification by {options.Sampling} sampling, but the scheduler does not sample so ({facts.Sampling}): claim none, "
                + "and each client is charged for what it takes part in.");
        }

        if (options.Sampling != SamplingClaim.None && options.MaxParticipations > 0)
        {
            throw new PrivacyException("A limit on participations and a sampling claim exclude each other: turning clients away is not independent sampling.");
        }
    }
}

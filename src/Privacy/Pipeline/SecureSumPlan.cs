using System.Numerics;
using Federated.Aggregation.ExampleWeights;
using Federated.Privacy.Accounting;
using Federated.Privacy.Distributed;
using Federated.Privacy.SecureAggregation.Sums;
using Federated.Privacy.SecureAggregation.Sessions;

namespace Federated.Privacy.Pipeline;

/// <summary>What follows from a secure-aggregation policy and a run for its sessions and their encoding; the coordinator and every client have the same.</summary>
public sealed record SecureSumPlan
{
    /// <summary>More grid steps of noise than this gain nothing: rounding is lost in it.</summary>
    private const double MostNoiseSteps = 1 << 19;

    /// <summary>More grid steps in C than this gain nothing.</summary>
    private const double MostClipSteps = 1 << 26;

    public required SecureAggregationOptions Options { get; init; }

    /// <summary>The fewest members of a sum that is opened.</summary>
    public required int Minimum { get; init; }

    /// <summary>The most.</summary>
    public required int Most { get; init; }

    /// <summary>d.</summary>
    public required int Dimension { get; init; }

    /// <summary>s; 0 for the finest grid of <see cref="FixedPointSum{T}"/>.</summary>
    public required double Scale { get; init; }

    /// <summary>σ_l, noise of each member in units of the update; 0 for none.</summary>
    public required double LocalDeviation { get; init; }

    /// <summary>ω(n), by which clients weigh.</summary>
    public required ExampleWeight Weight { get; init; }

    /// <summary>n at which a weight is the largest; 0 under equal weights.</summary>
    public required double LargestExamples { get; init; }

    /// <summary>Members of a sum that are certainly honest: the noise counts with so many.</summary>
    public int Honest => Minimum - (int)((Most * Options.Corrupted) + 1e-9);

    /// <summary>True when work is given to cohorts whose sum is a version's, so that a session waits for all of them.</summary>
    public required bool IsSynchronous { get; init; }

    /// <exception cref="PrivacyException">The policy cannot be kept in this run; the message says what to change.</exception>
    public static SecureSumPlan Of(SecureAggregationOptions options, RunFacts facts)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(facts);
        var minimum = Math.Max(2, facts.LeastUpdatesPerRelease);
        if (!facts.IsSynchronous)
        {
            minimum = Math.Max(2, (int)Math.Ceiling(facts.MostUpdatesPerSession * (1 - options.Dropout)));
        }

        var plan = new SecureSumPlan
        {
            Options = options,
            Minimum = minimum,
            Most = facts.MostUpdatesPerSession,
            Dimension = facts.Dimension,
            Scale = (options as SecureSumOptions)?.Scale ?? 0,
            LocalDeviation = 0,
            Weight = facts.ExampleWeight,
            LargestExamples = facts.ExampleWeight is EqualExampleWeight ? 0 : (options as SecureSumOptions)?.LargestExamples ?? 0,
            IsSynchronous = facts.IsSynchronous,
        };
        if (plan.Most < plan.Minimum || plan.Honest < 2)
        {
            throw new PrivacyException(
                $"A sum is opened of {plan.Minimum} to {plan.Most} members, of whom {(int)((plan.Most * options.Corrupted) + 1e-9)} may collude: at least 2 honest ones must be left, or there is nobody to hide among. "
                + "Use larger cohorts, or raise strategy.scheduler.minimumReports.");
        }

        _ = plan.TermsFor("check", 1).For(0, plan.Most);
        if (options is not DistributedPrivacyOptions distributed)
        {
            if (facts.ExampleWeight is not EqualExampleWeight && plan.LargestExamples == 0)
            {
                throw new PrivacyException(
                    "Weights follow the clients' examples, which the server is not to see: clients weigh their updates themselves, and the sum must have room for the largest weight. "
                    + "Set privacy.largestExamples, or strategy.exampleWeight to equal.");
            }

            _ = plan.CreateEncoding<float>();
            return plan;
        }

        return plan.WithNoise(distributed.NoiseMultiplier > 0 ? distributed.NoiseMultiplier : plan.Calibrate(distributed, facts));
    }

    /// <summary>The terms of every session of a run.</summary>
    /// <param name="run">The run's id.</param>
    public SessionTerms TermsFor(string run) => TermsFor(run, CreateEncoding<float>().Length);

    private SessionTerms TermsFor(string run, int length) => new()
    {
        Run = run,
        Length = length,
        Bits = Options.Bits,
        Minimum = Minimum,
        Most = Most,
        Corrupted = Options.Corrupted,
        Dropout = Options.Dropout,
        Server = Options.Server,
    };

    /// <summary>One worker's encoding.</summary>
    public SumEncoding<T> CreateEncoding<T>()
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => LocalDeviation > 0
        ? new DiscreteGaussianSum<T>(NoiseOptions, Dimension)
        : new FixedPointSum<T>(Dimension, Options.Bits, Options.ClipNorm, Most, Scale);

    /// <summary>A client's weight over the largest.</summary>
    /// <param name="examples">n_i.</param>
    public double ShareOf(double examples) => LargestExamples > 0
        ? Math.Clamp(Weight.Of(Math.Min(examples, LargestExamples)) / Weight.Of(LargestExamples), 0, 1)
        : 1;

    /// <summary>What one participation costs; null without noise.</summary>
    public DistributedDiscreteGaussianEvent? Event =>
        LocalDeviation > 0 ? new DistributedDiscreteGaussian<float>(NoiseOptions, Dimension).Event(NeighbourRelation.ZeroOutParticipation, Honest) : null;

    private DistributedDiscreteGaussianOptions NoiseOptions => new()
    {
        ClipNorm = Options.ClipNorm, Scale = Scale, LocalDeviation = LocalDeviation, Clients = Most, ModulusBits = Options.Bits,
    };

    /// <summary>Each member's share of the noise, on the finest grid on which the sum wraps around less often than four deviations do.</summary>
    private SecureSumPlan WithNoise(double multiplier)
    {
        var local = multiplier * Options.ClipNorm / Math.Sqrt(Honest);
        var padded = (double)BitOperations.RoundUpToPowerOf2((uint)Dimension);
        var perStep = (Options.ClipNorm * Options.ClipNorm * Most * (double)Most / padded) + (Most * local * local);
        var room = (Math.ScaleB(1, 2 * Options.Bits) / 64) - (Most / 4.0);
        var scale = room > 0 ? Math.Min(Math.Min(MostNoiseSteps / local, MostClipSteps / Options.ClipNorm), Math.Sqrt(room / perStep) * (1 - 1e-9)) : 0;
        if (scale * local < 4)
        {
            throw new PrivacyException(
                $"{Options.Bits} bits leave {scale * local:G3} grid steps to a member's noise, and at least 4 are needed for a sum of discrete Gaussians to be one. Raise privacy.bits.");
        }

        return this with { LocalDeviation = local, Scale = scale };
    }

    private double Calibrate(DistributedPrivacyOptions options, RunFacts facts)
    {
        var participations = options.MaxParticipations > 0 ? options.MaxParticipations : facts.PlannedReleases;
        return options.Epsilon > 0 && participations > 0
            ? Calibration.NoiseMultiplier(new RdpAccountant(), noise => WithNoise(noise).Event!.Repeated(participations), options.Epsilon, options.Delta) * (1 + 1e-6)
            : throw new PrivacyException(
                $"The policy has neither a noise multiplier nor a bounded cost to derive one from (epsilon is {options.Epsilon}): set noiseMultiplier, or epsilon together with maxParticipations or run.stop.versions.");
    }
}

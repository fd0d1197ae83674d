using Federated.Privacy.Accounting;
using Federated.Privacy.Central;
using Federated.Privacy.Clipping;
using Federated.Privacy.Randomness;
using Federated.Privacy.Tests.Randomness;
using Xunit.Sdk;

namespace Federated.Privacy.Tests.Audit;

/// <summary>Mistakes of adaptive clipping, kept as code: the real mechanism passes each check, the mutant fails it.</summary>
public static class AdaptiveClipMutationTests
{
    private const int Cohort = 100;

    private static readonly SortedDictionary<string, (Action Real, Action Mutant)> Mutants = new(StringComparer.Ordinal)
    {
        ["does not charge the bits"] = (
            () => PairCosts(1, Clip().UpdateMultiplier(1)),
            () => PairCosts(1, 1)),
        ["takes a quarter for the sensitivity of a bit"] = (
            () => PairCosts(4, Clip().UpdateMultiplier(4)),
            () => PairCosts(4, 1 / Math.Sqrt((1 / 16.0) - Math.Pow(4 * Clip().BitNoise, -2)))),
        ["sends bits of 0 and 1, of twice the sensitivity"] = (
            () => BitsAreWithinTheirSensitivity(Clip().Bit),
            () => BitsAreWithinTheirSensitivity(norm => norm <= 1 ? 1 : 0)),
        ["divides the bits by the number that arrived"] = (
            () => SumDecides((clip, sum, _) => clip.Update(sum)),
            () => SumDecides((clip, sum, arrived) => clip.Update(sum * Cohort / arrived))),
        ["moves the bound the wrong way"] = (
            () => ReachesTheMedian((clip, sum) => clip.Update(sum)),
            () => ReachesTheMedian((clip, sum) => clip.Update(-sum))),
        ["follows one minus the quantile"] = (
            () => ReachesTheQuantile(0.8, new AdaptiveClipOptions { InitialBound = 1, TargetQuantile = 0.8 }),
            () => ReachesTheQuantile(0.8, new AdaptiveClipOptions { InitialBound = 1, TargetQuantile = 0.2 })),
        ["adds no noise to the bits"] = (
            () => BoundIsNoised((mechanism, _) => mechanism.ReleaseBits(0)),
            () => BoundIsNoised((_, clip) => clip.Update(0))),
        ["scales noise with an older bound than it clips with"] = (
            () => NoiseFollowsTheBound((mechanism, _) => mechanism.ClipNorm),
            () => NoiseFollowsTheBound((_, first) => first)),
        ["moves the bound before the release"] = (
            () => ReleaseUsesTheBoundThatClipped(mechanism => { }),
            () => ReleaseUsesTheBoundThatClipped(mechanism => mechanism.ReleaseBits(Cohort / 2.0))),
    };

    public static TheoryData<string> Names => [.. Mutants.Keys];

    public sealed class Every_mutant
    {
        public static TheoryData<string> Names => AdaptiveClipMutationTests.Names;

        [Theory]
        [MemberData(nameof(Names))]
        public void Is_killed_by_a_check_that_the_real_mechanism_passes(string name)
        {
            var (real, mutant) = Mutants[name];
            real();
            Assert.ThrowsAny<XunitException>(mutant);
        }
    }

    private static AdaptiveClip Clip(AdaptiveClipOptions? options = null) => new(options ?? new AdaptiveClipOptions { InitialBound = 1 }, Cohort);

    private static DpFedAvg<double> Mechanism(IRandomSource random, AdaptiveClip clip) =>
        new(new DpFedAvgOptions { NoiseMultiplier = 1, ExpectedCohort = Cohort }, random, clip);

    /// <summary>A Gaussian of z_Δ on updates of norm C and one of σ_b on bits of norm ½, seen together, are one of the multiplier asked for.</summary>
    private static void PairCosts(double asked, double updateMultiplier) => Assert.True(
        AnalyticGaussian.Compose([(updateMultiplier, 1), (Clip().BitNoise / AdaptiveClip.BitSensitivity, 1)]) >= asked * (1 - 1e-12));

    private static void BitsAreWithinTheirSensitivity(Func<double, double> bit) =>
        Assert.All((double[])[0, 0.5, 1, 2, 1e9], norm => Assert.True(Math.Abs(bit(norm)) <= AdaptiveClip.BitSensitivity));

    private static void SumDecides(Action<AdaptiveClip, double, int> update)
    {
        var (few, many) = (Clip(), Clip());
        update(few, 10, 30);
        update(many, 10, 90);
        Assert.Equal(few.Bound, many.Bound, 1e-12);
    }

    private static void ReachesTheMedian(Action<AdaptiveClip, double> update) => Converges(Clip(new AdaptiveClipOptions { InitialBound = 0.3 }), update, 1);

    private static void ReachesTheQuantile(double quantile, AdaptiveClipOptions options) =>
        Converges(Clip(options), (clip, sum) => clip.Update(sum), Math.Exp(0.5 * NormalQuantile(quantile)));

    private static double NormalQuantile(double p) => Privacy.Numerics.NormalDistribution.UpperQuantile(1 - p);

    /// <summary>Log-normal norms of median 1 and deviation ½; the average bound of the last half wanders by 3 %.</summary>
    private static void Converges(AdaptiveClip clip, Action<AdaptiveClip, double> update, double expected)
    {
        using var random = new SimulationRandom(281);
        var logs = 0.0;
        for (var round = 0; round < 200; round++)
        {
            var sum = 0.0;
            for (var client = 0; client < Cohort; client++)
            {
                sum += clip.Bit(Math.Exp(0.5 * random.NextNormal()));
            }

            update(clip, sum + (clip.BitNoise * random.NextNormal()));
            logs += round >= 100 ? Math.Log(clip.Bound) / 100 : 0;
        }

        Assert.InRange(Math.Exp(logs), expected * 0.85, expected * 1.15);
    }

    /// <summary>ln C moves by −η·(noise/m) around its mean: its variance over fresh mechanisms is (η·σ_b/m)².</summary>
    private static void BoundIsNoised(Action<DpFedAvg<double>, AdaptiveClip> release)
    {
        using var random = new SimulationRandom(282);
        var logs = new double[600];
        for (var i = 0; i < logs.Length; i++)
        {
            var clip = Clip();
            release(Mechanism(random, clip), clip);
            logs[i] = Math.Log(clip.Bound);
        }

        Statistics.AssertVariance(logs, 0, Math.Pow(0.2 * Clip().BitNoise / Cohort, 2));
    }

    private static void NoiseFollowsTheBound(Func<DpFedAvg<double>, double, double> clipNorm)
    {
        using var random = new SimulationRandom(283);
        var clip = Clip();
        var mechanism = Mechanism(random, clip);
        var first = mechanism.ClipNorm;
        for (var round = 0; round < 5; round++)
        {
            mechanism.ReleaseBits(Cohort / 2.0);
            Assert.Equal(clip.UpdateMultiplier(1) * clipNorm(mechanism, first), mechanism.NextDeviation * mechanism.Denominator, 1e-12);
        }
    }

    private static void ReleaseUsesTheBoundThatClipped(Action<DpFedAvg<double>> between)
    {
        using var random = new SimulationRandom(284);
        var clip = Clip();
        var mechanism = Mechanism(random, clip);
        var clipped = mechanism.ClipNorm;
        between(mechanism);
        var sum = new double[15_000];
        mechanism.Release(sum);
        Statistics.AssertVariance(sum, 0, Math.Pow(clip.UpdateMultiplier(1) * clipped / Cohort, 2));
    }
}

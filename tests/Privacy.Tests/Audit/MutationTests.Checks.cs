using System.Numerics;
using Federated.Privacy.Accounting;
using Federated.Privacy.Audit;
using Federated.Privacy.Central;
using Federated.Privacy.Clipping;
using Federated.Privacy.Local.Frequencies;
using Federated.Privacy.Local.Scalars;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Numerics;
using Federated.Privacy.Randomness;
using Federated.Privacy.Shuffle;
using Federated.Privacy.Tests.Randomness;

namespace Federated.Privacy.Tests.Audit;

/// <content>The checks: each passes for the real mechanism and fails for its mutant.</content>
public static partial class MutationTests
{
    private static void ClipHolds(Action<double[]> clip, double bound, double value = 3)
    {
        double[] vector = [value, -4, 0.1];
        clip(vector);
        Assert.True(Math.Sqrt(vector.Sum(x => x * x)) <= bound * (1 + 1e-12));
    }

    private static void TotalBoundIsReached(double total)
    {
        float[] update = [100, 0, 0, 100];
        new PerLayerClip(Layers, [3, 4]).Apply(update.AsSpan());
        Assert.Equal(L2Clip.Norm<float>(update), total, 1e-5);
    }

    private static void NoiseDeviationIs(double stated, double multiplier, double clip)
    {
        using var random = new SimulationRandom(Seed);
        var sum = new double[15_000]; // enough for a deviation off by 5 % (privacy.md §6.1)
        new DpFedAvg<double>(new DpFedAvgOptions { ClipNorm = clip, NoiseMultiplier = multiplier, ExpectedCohort = 1 }, random).Release(sum);
        Statistics.AssertVariance(sum, 0, stated * stated);
    }

    private static double[] Release(double[] sum, double multiplier)
    {
        using var random = new SimulationRandom(Seed);
        var copy = (double[])sum.Clone();
        new DpFedAvg<double>(new DpFedAvgOptions { ClipNorm = 1, NoiseMultiplier = multiplier, ExpectedCohort = 10 }, random).Release(copy);
        return copy;
    }

    private static void DenominatorIsPublic(Func<double[], int, double[]> release) =>
        Assert.Equal(release([5], 5)[0], release([5], 9)[0], 1e-6);

    private static void EmptyCohortIsNoise(Func<double[], double[]> release) =>
        Statistics.AssertVariance(release(new double[5000]), 0, 0.01);

    private static Func<int, double[]> FreshRounds()
    {
        var random = new SimulationRandom(Seed);
        var mechanism = new DpFedAvg<double>(new DpFedAvgOptions { NoiseMultiplier = 1, ExpectedCohort = 10 }, random);
        return _ =>
        {
            var sum = new double[20_000];
            mechanism.Release(sum);
            return sum;
        };
    }

    private static void RoundsAreIndependent(Func<int, double[]> release)
    {
        var (one, two) = (release(1), release(2));
        var correlation = one.Zip(two, (x, y) => x * y).Average() / 0.01;
        Assert.True(Math.Abs(correlation) < Statistics.Z / Math.Sqrt(one.Length));
    }

    private static void ClaimSurvives(PiecewiseRandomizer randomizer, double claim)
    {
        using var random = new SimulationRandom(Seed);
        var finding = DistinguishingAudit.Run(
            "piecewise", claim, 0, 20_000, 0.999, () => randomizer.Randomize(1, random), () => randomizer.Randomize(-1, random));
        Assert.True(finding.Passed, finding.ToString());
    }

    private static void EstimatorIsUnbiased(Func<double, double, double, double> estimate)
    {
        var oracle = new GeneralizedRandomizedResponse(1, 4);
        using var random = new SimulationRandom(Seed);
        var report = new byte[oracle.ReportBytes];
        var state = new long[4];
        const int n = 20_000;
        for (var i = 0; i < n; i++)
        {
            oracle.Randomize(i % 2, report, random);
            oracle.Accumulate(report, state);
        }

        Assert.Equal(0.5, estimate((double)state[0] / n, oracle.TrueSupport, oracle.FalseSupport), Statistics.Z * Math.Sqrt(oracle.VariancePerReport(0.5) / n));
        Assert.Equal(0, estimate((double)state[3] / n, oracle.TrueSupport, oracle.FalseSupport), Statistics.Z * Math.Sqrt(oracle.VariancePerReport(0) / n));
    }

    private static void FollowsLawOfResponse(Action<GeneralizedRandomizedResponse, byte[], IRandomSource> respond)
    {
        var oracle = new GeneralizedRandomizedResponse(0.5, 4);
        using var random = new SimulationRandom(Seed);
        var report = new byte[oracle.ReportBytes];
        var counts = new long[4];
        for (var i = 0; i < 30_000; i++)
        {
            respond(oracle, report, random);
            counts[BitConverter.ToInt32(report)]++;
        }

        Statistics.AssertChiSquare(counts, [.. Enumerable.Range(0, 4).Select(v => oracle.Probability(2, BitConverter.GetBytes(v)))]);
    }

    private static void HitsTheCap(IUnitVectorRandomizer<double> randomizer)
    {
        var real = new PrivUnitG<double>(8, 2);
        using var random = new SimulationRandom(Seed);
        var report = new double[2];
        long hits = 0;
        for (var i = 0; i < 5000; i++)
        {
            randomizer.Randomize([1, 0], report, random);
            hits += report[0] >= real.Gamma * real.Sigma ? 1 : 0;
        }

        Statistics.AssertProportion(hits, 5000, real.CapProbability);
    }

    private static void CubeLawCosts(double epsilon, bool closed)
    {
        const int d = 2;
        var randomizer = new DuchiHypercube(epsilon, d);
        var laws = Enumerable.Range(0, 1 << d).Select(v =>
        {
            double Overlap(int t) => 2 * (d - BitOperations.PopCount((uint)(t ^ v))) - d;
            var points = Enumerable.Range(0, 1 << d).ToArray();
            var agree = closed ? 1 / (1 + Math.Exp(-epsilon)) : randomizer.AgreeProbability;
            double inside = points.Count(t => Overlap(t) >= 0);
            double outside = points.Count(t => closed ? Overlap(t) <= 0 : Overlap(t) < 0);
            return points.Select(t =>
                (Overlap(t) >= 0 ? agree / inside : 0) + ((closed ? Overlap(t) <= 0 : Overlap(t) < 0) ? (1 - agree) / outside : 0)).ToArray();
        }).ToArray();
        Assert.True(ExactAudit.Epsilon(laws) <= epsilon + 1e-9);
    }

    private static void DeltaCoversBothDirections(Func<double, double> delta)
    {
        foreach (var epsilon in new[] { 0.2, 0.5, 1 })
        {
            Assert.True(delta(epsilon) >= Math.Max(BinomialDelta(40, 3, epsilon, up: true), BinomialDelta(40, 3, epsilon, up: false)) - 1e-12);
        }
    }

    private static double BinomialDelta(int trials, int shift, double epsilon, bool up)
    {
        double Pmf(int x) => x < 0 || x > trials ? 0 : BinomialDistribution.Pmf(x, trials, 0.25);
        return Enumerable.Range(0, trials + shift + 1).Sum(x =>
            Math.Max(0, (up ? Pmf(x - shift) : Pmf(x)) - (Math.Exp(epsilon) * (up ? Pmf(x) : Pmf(x - shift)))));
    }

    private static void CompositionCounts(Func<int, int> rounds)
    {
        var release = new GaussianEvent(NeighbourRelation.AddRemoveClient, 5);
        var claimed = new AnalyticGaussianAccountant().Epsilon(release.Repeated(rounds(10)), 1e-5);
        Assert.True(claimed >= AnalyticGaussian.Epsilon(5 / Math.Sqrt(10), 1e-5) - 1e-9);
    }

    private static void BudgetIsSplit(Func<IRandomSource, ConcurrentShufflersCounter> create)
    {
        using var random = new SimulationRandom(Seed);
        var counter = create(random);

        // A client's bit is in one batch of each of the four: their exact losses together.
        var delta = new PldAccountant().Delta(counter.Event(), 1);
        Assert.True(delta <= 1e-6 * (1 + 1e-6), $"δ is {delta}");
    }

    private static void IsUniform(Func<IRandomSource, ulong, ulong> draw)
    {
        using var random = new SimulationRandom(Seed);
        var counts = new long[3];
        for (var i = 0; i < 20_000; i++)
        {
            counts[draw(random, 3UL << 62) >> 62]++;
        }

        Statistics.AssertChiSquare(counts, [1 / 3.0, 1 / 3.0, 1 / 3.0]);
    }

    private static void NeverRepeats(IRandomSource random)
    {
        var seen = new HashSet<ulong>();
        for (var i = 0; i < 2000; i++)
        {
            Assert.True(seen.Add(random.NextUInt64()));
        }
    }

    private static void FirstShareIsUniform(Action<SplitAndMix, ulong[], IRandomSource> split)
    {
        var protocol = new SplitAndMix(4, 100_000);
        using var random = new SimulationRandom(Seed);
        var shares = new ulong[protocol.Shares];
        var counts = new long[16];
        for (var i = 0; i < 2000; i++)
        {
            split(protocol, shares, random);
            counts[shares[0]]++;
        }

        Statistics.AssertChiSquare(counts, [.. Enumerable.Repeat(1 / 16.0, 16)]);
    }
}

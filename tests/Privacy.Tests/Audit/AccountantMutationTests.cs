using Federated.Privacy.Accounting;
using Federated.Privacy.Accounting.Loss;
using Federated.Privacy.Amplification;
using Federated.Privacy.Central.Factorizations;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Numerics;
using Xunit.Sdk;

namespace Federated.Privacy.Tests.Audit;

/// <summary>
/// Mistakes of accountants, ledgers and calibration, kept as code. Each check compares with a truth that was not computed by an accountant
/// (an enumeration, a closed form, a quadrature); the real code must pass it and the mutant fail.
/// </summary>
public static class AccountantMutationTests
{
    private static readonly NeighbourRelation AddRemove = NeighbourRelation.AddRemoveClient;
    private static readonly GaussianEvent Release = new(NeighbourRelation.ZeroOutParticipation, 8);

    private static readonly SortedDictionary<string, (Action Real, Action Mutant)> Mutants = new(StringComparer.Ordinal)
    {
        ["drops the add direction of a sampled pair"] = (
            () => CoversBothDirections(new PldAccountant().Delta),
            () => CoversBothDirections((_, epsilon) => SampledResponse(epsilon).Remove)),
        ["drops the remove direction of a sampled pair"] = (
            () => CoversBothDirections(new PldAccountant().Delta),
            () => CoversBothDirections((_, epsilon) => SampledResponse(epsilon).Add)),
        ["rounds losses down"] = (
            () => CoversManyGaussians(z => new PldAccountant().Epsilon(new GaussianEvent(AddRemove, z).Repeated(400), 1e-6)),
            () => CoversManyGaussians(z => Bucketed(z, 1e-2, 0).Epsilon(1e-6))),
        ["drops the mass of infinite loss"] = (
            () => KeepsWhatHasNoBound((e, epsilon) => new PldAccountant().Delta(e, epsilon)),
            () => KeepsWhatHasNoBound((_, _) => new LossComposition([(new LossMasses(1e-4, 1000, [0.999], 0), 1)]).Delta(0.5))),
        ["keeps one round's delta for all rounds"] = (
            () => DeltaAddsUp(rounds => new PldAccountant().Delta(new ApproximateEvent(AddRemove, 0, 1e-3).Repeated(rounds), 0.1)),
            () => DeltaAddsUp(_ => new PldAccountant().Delta(new ApproximateEvent(AddRemove, 0, 1e-3), 0.1))),
        ["converts a Rényi divergence at the order below"] = (
            () => CoversOneGaussian(z => new RdpAccountant().Epsilon(new GaussianEvent(AddRemove, z), 1e-5)),
            () => CoversOneGaussian(z => RenyiOrders.Default.Min(a =>
                ((a - 1) / (2 * z * z)) + Math.Log(1 - (1 / a)) - ((Math.Log(1e-5) + Math.Log(a)) / (a - 1))))),
        ["prints the central limit for a guarantee"] = (
            () => CoversRareLargeLosses(e => new PldAccountant().Epsilon(e, 1e-5)),
            () => CoversRareLargeLosses(_ => AnalyticGaussian.Epsilon(1 / (0.001 * Math.Sqrt(1000 * (Math.Exp(1 / 0.25) - 1))), 1e-5))),
        ["composes the first part of a heterogeneous run only"] = (
            () => CoversUnlikeGaussians((a, b) => new ComposedEvent(a, b)),
            () => CoversUnlikeGaussians((a, _) => a)),
        ["takes the sensitivity of zero-out under replace-one"] = (
            () => HidesReplacement(new LocalGaussian<double>(1, 1e-5, 0.5).Deviation),
            () => HidesReplacement(0.5 * AnalyticGaussian.NoiseMultiplier(1, 1e-5))),
        ["accepts Poisson sampling under replace-one"] = (
            () => UnlikeRelationsAreRefused(relation => new PoissonSampledEvent(0.1, new GaussianEvent(relation, 1))),
            () => UnlikeRelationsAreRefused(relation => new PoissonSampledEvent(0.1, new GaussianEvent(relation with { Adjacency = Adjacency.AddRemove }, 1)))),
        ["returns the lower end of a bisection for the noise"] = (
            () => TargetHolds(Noise()),
            () => TargetHolds(Noise() * (1 - 1e-4))),
        ["allows one step more than the budget covers"] = (
            () => StepsHold(Calibration.Steps(new AnalyticGaussianAccountant(), Release, 1, 1e-6)),
            () => StepsHold(Calibration.Steps(new AnalyticGaussianAccountant(), Release, 1, 1e-6) + 1)),
        ["charges everybody the average client's share"] = (
            () => LedgerCovers(20, 20, ledger => ledger.Guarantee().Epsilon),
            () => LedgerCovers(20, 20, ledger => ledger.NaiveEstimate(Release, 1000, 100).Epsilon)),
        ["does not charge an update that was lost"] = (
            () => LedgerCovers(20, 20, ledger => ledger.Guarantee().Epsilon),
            () => LedgerCovers(20, 15, ledger => ledger.Guarantee().Epsilon)),
        ["counts corrupted reports among those that hide"] = (
            () => ShuffledPairIsCovered(epsilon => Shuffled(LocalRandomizer.RandomizedResponse(2, 2), 2, epsilon)),
            () => ShuffledPairIsCovered(epsilon => Shuffled(LocalRandomizer.RandomizedResponse(2, 2), 10, epsilon))),
        ["amplifies by a better randomiser than is applied"] = (
            () => ShuffledPairIsCovered(epsilon => Shuffled(LocalRandomizer.RandomizedResponse(2, 2), 2, epsilon)),
            () => ShuffledPairIsCovered(epsilon => Shuffled(LocalRandomizer.RandomizedResponse(2, 100), 2, epsilon))),
        ["gives a tree one level too few"] = (
            () => CoversEightSteps(TreeSensitivity.Squared(8, Participation.Once)),
            () => CoversEightSteps((long)Math.Ceiling(Math.Log2(8)))),
        ["takes a single participation's sensitivity for several"] = (
            () => CoversRepeats(ToeplitzFactorization.SquareRoot(8).Sensitivity(new Participation(3, 2))),
            () => CoversRepeats(ToeplitzFactorization.SquareRoot(8).Sensitivity(Participation.Once))),
        ["adds overlapping columns as if they were orthogonal"] = (
            () => CoversRepeats(ToeplitzFactorization.SquareRoot(8).Sensitivity(new Participation(3, 2))),
            () => CoversRepeats(Math.Sqrt(3) * ToeplitzFactorization.SquareRoot(8).Sensitivity(Participation.Once))),
        ["amplifies a matrix mechanism by the prior probability"] = (
            () => SampledPrefixSumsAreCovered(MatrixMechanism),
            () => SampledPrefixSumsAreCovered(delta => new PldAccountant().Epsilon(
                new ComposedEvent(Mixture([0, 1], [0.9, 0.1]), Mixture([0, 1, 2], [0.81, 0.18, 0.01])), delta))),
        ["does not split delta in a matrix mechanism"] = (
            () => HalfOfDeltaIsForTheBadEvent(MatrixMechanism),
            () => HalfOfDeltaIsForTheBadEvent(delta => new PldAccountant(new PldAccountantOptions { DiscretizationInterval = 1e-3 }).Epsilon(
                new ComposedEvent(MatrixMechanismAmplification.Events([[1], [1, 1]], 0.1, 1, AddRemove, delta)), delta))),
    };

    public static TheoryData<string> Names => [.. Mutants.Keys];

    public sealed class Every_mutant
    {
        public static TheoryData<string> Names => AccountantMutationTests.Names;

        [Theory]
        [MemberData(nameof(Names))]
        public void Is_killed_by_a_check_that_the_real_code_passes(string name)
        {
            var (real, mutant) = Mutants[name];
            real();
            Assert.ThrowsAny<XunitException>(mutant);
        }
    }

    /// <summary>Two rounds of binary randomised response of ε₀ = 1 on a sample of q = ½: δ(ε) in both directions, by enumeration.</summary>
    private static (double Remove, double Add) SampledResponse(double epsilon)
    {
        var truth = 1 / (1 + Math.Exp(-1));
        double With(int k) => BinomialDistribution.Pmf(k, 2, 0.5);
        double Without(int k) => BinomialDistribution.Pmf(k, 2, 1 - truth);
        double Stick(Func<int, double> p, Func<int, double> q) => Enumerable.Range(0, 3).Sum(k => Math.Max(0, p(k) - (Math.Exp(epsilon) * q(k))));
        return (Stick(With, Without), Stick(Without, With));
    }

    private static void CoversBothDirections(Func<PrivacyEvent, double, double> delta)
    {
        // Add is the larger at ε = ¼ (0.213 against 0.157), remove at ε = ¾.
        var e = new PoissonSampledEvent(0.5, new PureEvent(AddRemove, 1)).Repeated(2);
        foreach (var epsilon in (double[])[0.25, 0.75])
        {
            var (remove, add) = SampledResponse(epsilon);
            Assert.True(delta(e, epsilon) >= Math.Max(remove, add) - 1e-9, $"{delta(e, epsilon)} against {remove} and {add}");
        }
    }

    private static void CoversManyGaussians(Func<double, double> epsilon) => Assert.True(epsilon(50) >= AnalyticGaussian.Epsilon(2.5, 1e-6));

    private static void CoversOneGaussian(Func<double, double> epsilon) => Assert.True(epsilon(1) >= AnalyticGaussian.Epsilon(1, 1e-5));

    /// <summary>400 Gaussians with their losses rounded to a coarse grid: downwards, which is what one must not do.</summary>
    private static LossComposition Bucketed(double z, double step, int up)
    {
        // The loss is N(½z⁻², z⁻²).
        var low = (int)Math.Floor(((0.5 / (z * z)) - (9 / z)) / step);
        var cells = new double[(int)Math.Ceiling(18 / z / step) + 2];
        for (var i = 0; i < cells.Length - up; i++)
        {
            double At(int cell) => NormalDistribution.Cdf(((cell * step) - (0.5 / (z * z))) * z);
            cells[i + up] = At(low + i + 1) - At(low + i);
        }

        return new LossComposition([(new LossMasses(step, low, cells, 0), 400)]);
    }

    private static void KeepsWhatHasNoBound(Func<PrivacyEvent, double, double> delta) =>
        Assert.True(delta(new ApproximateEvent(AddRemove, 0.1, 1e-3), 0.5) >= 1e-3 - 1e-12);

    private static void DeltaAddsUp(Func<int, double> delta) => Assert.True(delta(20) >= 1 - Math.Pow(1 - 1e-3, 20) - 1e-9);

    private static void CoversRareLargeLosses(Func<PrivacyEvent, double> epsilon)
    {
        // One round in a thousand has a loss of several nats: rounded down at every step, still 3.1.
        var e = new PoissonSampledEvent(0.001, new GaussianEvent(AddRemove, 0.5)).Repeated(1000);
        Assert.True(epsilon(e) >= 3.1);
    }

    private static void CoversUnlikeGaussians(Func<PrivacyEvent, PrivacyEvent, PrivacyEvent> compose)
    {
        var e = compose(new GaussianEvent(AddRemove, 3).Repeated(2), new GaussianEvent(AddRemove, 4));
        Assert.True(new PldAccountant().Epsilon(e, 1e-6) >= AnalyticGaussian.Epsilon(1 / Math.Sqrt((2 / 9.0) + (1 / 16.0)), 1e-6) - 1e-9);
    }

    private static void HidesReplacement(double deviation) => Assert.True(AnalyticGaussian.Delta(deviation / 1.0, 1) <= 1e-5 * (1 + 1e-9)); // ±0.5 differ by 1

    private static void UnlikeRelationsAreRefused(Func<NeighbourRelation, PrivacyEvent> sample) =>
        Assert.Throws<PrivacyException>(() => sample(NeighbourRelation.ReplaceOneClient));

    private static double Noise() => Calibration.NoiseMultiplier(new AnalyticGaussianAccountant(), z => new GaussianEvent(AddRemove, z).Repeated(10), 1, 1e-6);

    private static void TargetHolds(double noise) => Assert.True(AnalyticGaussian.Delta(noise / Math.Sqrt(10), 1) <= 1e-6 * (1 + 1e-9));

    private static void StepsHold(long steps) => Assert.True(AnalyticGaussian.Delta(8 / Math.Sqrt(steps), 1) <= 1e-6 * (1 + 1e-9));

    private static void LedgerCovers(int taken, int charged, Func<ParticipationAccountant<string>, double> epsilon)
    {
        var ledger = new ParticipationAccountant<string>(new ParticipationAccountantOptions { Delta = 1e-6 });
        for (var i = 0; i < charged; i++)
        {
            ledger.TryCharge("fast", Release);
        }

        ledger.TryCharge("slow", Release);
        Assert.True(epsilon(ledger) >= AnalyticGaussian.Epsilon(8 / Math.Sqrt(taken), 1e-6) * (1 - 1e-9));
    }

    private static double Shuffled(LocalRandomizer randomizer, long reports, double epsilon) =>
        ShuffleAmplification.Delta(ShuffleBound.Fmt23, randomizer, reports, epsilon);

    /// <summary>Two honest reports of binary randomised response with ε₀ = 2; whatever the adversary adds, it can take away again.</summary>
    private static void ShuffledPairIsCovered(Func<double, double> delta)
    {
        var kept = 1 / (1 + Math.Exp(-2));
        foreach (var epsilon in (double[])[0.2, 0.6, 1])
        {
            double[] with = [(1 - kept) * kept, (kept * kept) + ((1 - kept) * (1 - kept)), kept * (1 - kept)]; // inputs 1 and 0
            double[] without = [kept * kept, 2 * kept * (1 - kept), (1 - kept) * (1 - kept)]; // inputs 0 and 0
            var truth = Math.Max(
                with.Zip(without, (p, q) => Math.Max(0, p - (Math.Exp(epsilon) * q))).Sum(), without.Zip(with, (p, q) => Math.Max(0, p - (Math.Exp(epsilon) * q))).Sum());
            Assert.True(delta(epsilon) >= truth - 1e-12, $"{delta(epsilon)} against {truth}");
        }
    }

    /// <summary>The first of eight leaves is in itself, a pair, a four and the eight.</summary>
    private static void CoversEightSteps(long squared) => Assert.True(squared >= 4);

    /// <summary>Every set of three steps of eight that are two or more apart, its columns of the square-root factor added up.</summary>
    private static void CoversRepeats(double sensitivity)
    {
        var c = ToeplitzFactorization.SquareRoot(8).Coefficients;
        var worst = 0.0;
        for (var pattern = 0; pattern < 256; pattern++)
        {
            var steps = Enumerable.Range(0, 8).Where(t => (pattern >> t & 1) != 0).ToArray();
            if (steps.Length == 3 && steps.Zip(steps.Skip(1)).All(p => p.Second - p.First >= 2))
            {
                worst = Math.Max(worst, Math.Sqrt(Enumerable.Range(0, 8).Sum(row => Math.Pow(steps.Where(t => t <= row).Sum(t => c[row - t]), 2))));
            }
        }

        Assert.True(sensitivity >= worst * (1 - 1e-9), $"{sensitivity} against {worst}");
    }

    private static GaussianMixtureEvent Mixture(double[] sensitivities, double[] probabilities) => new(AddRemove, 1, sensitivities, probabilities);

    private static double MatrixMechanism(double delta) => MatrixMechanismAmplification.Guarantee([[1], [1, 1]], 0.1, 1, AddRemove, delta).Epsilon;

    /// <summary>Two noisy prefix sums of a unit that is in each round with probability 0.1: δ(ε) by quadrature over the plane.</summary>
    private static void SampledPrefixSumsAreCovered(Func<double, double> epsilonAt)
    {
        const double delta = 1e-3, step = 0.05;
        var epsilon = epsilonAt(delta);
        var truth = 0.0;
        for (var x = -7.0; x < 9; x += step)
        {
            for (var y = -7.0; y < 10; y += step)
            {
                double Normal(double a, double b) => Math.Exp(-0.5 * (((x - a) * (x - a)) + ((y - b) * (y - b)))) / (2 * Math.PI);
                var with = (0.81 * Normal(0, 0)) + (0.09 * Normal(1, 1)) + (0.09 * Normal(0, 1)) + (0.01 * Normal(1, 2));
                truth += step * step * Math.Max(0, with - (Math.Exp(epsilon) * Normal(0, 0)));
            }
        }

        Assert.True(truth <= delta, $"ε = {epsilon} is claimed at δ = {delta}, where δ is {truth}");
    }

    private static void HalfOfDeltaIsForTheBadEvent(Func<double, double> epsilonAt)
    {
        var rows = MatrixMechanismAmplification.Events([[1], [1, 1]], 0.1, 1, AddRemove, 1e-3);
        Assert.True(epsilonAt(1e-3) >= new PldAccountant().Epsilon(new ComposedEvent(rows), 5e-4) - 1e-6);
    }
}

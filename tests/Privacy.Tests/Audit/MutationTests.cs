using System.Numerics;
using Federated.Aggregation.Parameters;
using Federated.Privacy.Amplification;
using Federated.Privacy.Audit;
using Federated.Privacy.Clipping;
using Federated.Privacy.Local.Scalars;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;
using Federated.Privacy.Shuffle;
using Federated.Privacy.Tests.Randomness;
using Xunit.Sdk;

namespace Federated.Privacy.Tests.Audit;

/// <summary>
/// The mutation list of privacy.md §6.1, kept as code: each mistake that has been made in published code is made here once more, and the check
/// that guards against it must pass the real mechanism and fail the mutant.
/// </summary>
public static partial class MutationTests
{
    private const ulong Seed = 191;

    private static readonly SortedDictionary<string, (Action Real, Action Mutant)> Mutants = new(StringComparer.Ordinal)
    {
        ["clips at 2C in place of C"] = (
            () => ClipHolds(x => L2Clip.Apply(x.AsSpan(), 0.5), 0.5),
            () => ClipHolds(x => L2Clip.Apply(x.AsSpan(), 1), 0.5)),
        ["clips by max(norm, 1), which depends on the data"] = (
            () => ClipHolds(x => L2Clip.Apply(x.AsSpan(), 0.5), 0.5),
            () => ClipHolds(x => L2Clip.Apply(x.AsSpan(), Math.Max(1, L2Clip.Norm<double>(x))), 0.5)),
        ["lets a NaN through min(1, C/norm)"] = (
            () => ClipHolds(x => L2Clip.Apply(x.AsSpan(), 0.5), 0.5, double.NaN),
            () => ClipHolds(x => VectorMath.Scale<double>(x, Math.Min(1, 0.5 / Math.Sqrt(VectorMath.Dot<double>(x, x)))), 0.5, double.NaN)),
        ["takes the sum of per-layer bounds"] = (
            () => TotalBoundIsReached(new PerLayerClip(Layers, [3, 4]).TotalBound),
            () => TotalBoundIsReached(3 + 4)),
        ["takes the largest of per-layer bounds"] = (
            () => TotalBoundIsReached(new PerLayerClip(Layers, [3, 4]).TotalBound),
            () => TotalBoundIsReached(Math.Max(3, 4))),
        ["halves sigma"] = (() => NoiseDeviationIs(1.5 * 0.5, 1.5, 0.5), () => NoiseDeviationIs(1.5 * 0.5, 0.75, 0.5)),
        ["takes sigma squared for sigma"] = (() => NoiseDeviationIs(1.5 * 0.5, 1.5, 0.5), () => NoiseDeviationIs(1.5 * 0.5, 1.5 * 1.5, 0.5)),
        ["forgets the clipping bound in the noise"] = (() => NoiseDeviationIs(1.5 * 0.5, 1.5, 0.5), () => NoiseDeviationIs(1.5 * 0.5, 1.5, 1)),
        ["divides by the number that arrived"] = (
            () => DenominatorIsPublic((sum, _) => Release(sum, 1e-9)),
            () => DenominatorIsPublic((sum, arrived) => [.. sum.Select(x => x / arrived)])),
        ["adds no noise to an empty cohort"] = (
            () => EmptyCohortIsNoise(sum => Release(sum, 1)),
            () => EmptyCohortIsNoise(sum => sum.All(x => x == 0) ? sum : Release(sum, 1))),
        ["draws the same noise every round"] = (
            () => RoundsAreIndependent(FreshRounds()),
            () => RoundsAreIndependent(_ => Release(new double[20_000], 1))),
        ["spends epsilon where epsilon/2 is due"] = (
            () => ClaimSurvives(new PiecewiseRandomizer(1), 1),
            () => ClaimSurvives(new PiecewiseRandomizer(2), 1)),
        ["swaps p and q in the estimator"] = (
            () => EstimatorIsUnbiased((share, p, q) => (share - q) / (p - q)),
            () => EstimatorIsUnbiased((share, p, q) => (share - p) / (q - p))),
        ["leaves the q correction out of the estimator"] = (
            () => EstimatorIsUnbiased((share, p, q) => (share - q) / (p - q)),
            () => EstimatorIsUnbiased((share, p, q) => share / (p - q))),
        ["lies over k items in place of k − 1"] = (
            () => FollowsLawOfResponse((oracle, report, random) => oracle.Randomize(2, report, random)),
            () => FollowsLawOfResponse((oracle, report, random) => BitConverter.TryWriteBytes(
                report, random.NextDouble() < oracle.TrueSupport ? 2 : random.NextBelow(oracle.Items)))),
        ["gives up a rejection after 25 tries"] = (
            () => HitsTheCap(new PrivUnitG<double>(8, 2)),
            () => HitsTheCap(new CappedPrivUnitG(8))),
        ["keeps ties of the cube in both half-cubes"] = (
            () => CubeLawCosts(0.5, closed: false),
            () => CubeLawCosts(0.5, closed: true)),
        ["drops one direction of an asymmetric pair"] = (
            () => DeltaCoversBothDirections(epsilon => ShuffledSum.Delta(40, 0.25, 3, epsilon)),
            () => DeltaCoversBothDirections(epsilon => Math.Min(BinomialDelta(40, 3, epsilon, up: true), BinomialDelta(40, 3, epsilon, up: false)))),
        ["composes T − 1 rounds"] = (
            () => CompositionCounts(rounds => rounds),
            () => CompositionCounts(rounds => rounds - 1)),
        ["gives every shuffler the whole budget"] = (
            () => BudgetIsSplit(random => ConcurrentShufflersCounter.ForGuarantee(1000, 4, 1, 1e-6, random)),
            () => BudgetIsSplit(random => new ConcurrentShufflersCounter(1000, 4, length => ScalarSum.ForGuarantee(1, length, 1, 1e-6), random))),
        ["reduces random words by a remainder"] = (
            () => IsUniform((random, max) => random.NextBelow(max)),
            () => IsUniform((random, max) => random.NextUInt64() % max)),
        ["reuses a stale buffer of random bytes"] = (
            () => NeverRepeats(new SimulationRandom(Seed)),
            () => NeverRepeats(new StaleBuffer())),
        ["puts the secret into the share of index 0"] = (
            () => FirstShareIsUniform((protocol, shares, random) => protocol.Split(5, shares, random)),
            () => FirstShareIsUniform((protocol, shares, random) =>
            {
                protocol.Split(0, shares, random); // shares of zero, and the value beside them
                shares[^1] = (shares[^1] + shares[0]) & 15;
                shares[0] = 5;
            })),
        ["drops the delta term of the one-run audit"] = (
            () => Assert.True(OneRunBound.EpsilonLowerBound(10_000, 1000, 950, 1e-5, 0.05) <= 2.6909966),
            () => Assert.True(OneRunBound.EpsilonLowerBound(10_000, 1000, 950, 0, 0.05) <= 2.6909966)),
    };

    private static ParameterLayout Layers => ParameterLayout.Of(("a", [2]), ("b", [2]));

    public static TheoryData<string> Names => [.. Mutants.Keys];

    public sealed class Every_mutant
    {
        public static TheoryData<string> Names => MutationTests.Names;

        [Theory]
        [MemberData(nameof(Names))]
        public void Is_killed_by_a_check_that_the_real_mechanism_passes(string name)
        {
            var (real, mutant) = Mutants[name];
            real();
            Assert.ThrowsAny<XunitException>(mutant);
        }
    }

    /// <summary>PrivUnitG whose rejection gives up after 25 tries and returns what it has, as published code does.</summary>
    private sealed class CappedPrivUnitG(double epsilon) : IUnitVectorRandomizer<double>
    {
        private readonly PrivUnitG<double> real = new(epsilon, 2);

        public string Name => "capped";

        public double Epsilon => real.Epsilon;

        public bool IsExact => false;

        public int Dimension => 2;

        public double MeanSquaredError => real.MeanSquaredError;

        public long ReportBytes => real.ReportBytes;

        public double ReportNormBound => real.ReportNormBound;

        public void Randomize(ReadOnlySpan<double> unit, Span<double> report, IRandomSource random)
        {
            var above = random.NextDouble() < real.CapProbability;
            double t;
            var tries = 0;
            do
            {
                t = random.NextNormal();
            }
            while (++tries < 25 && t >= real.Gamma != above);
            report[0] = real.Sigma * t;
            report[1] = real.Sigma * random.NextNormal();
        }
    }

    /// <summary>A source that fills its buffer once and reads it again and again.</summary>
    private sealed class StaleBuffer : IRandomSource
    {
        private readonly ulong[] buffer = new ulong[512];
        private int position;

        public StaleBuffer()
        {
            using var random = new SimulationRandom(Seed);
            random.Fill(System.Runtime.InteropServices.MemoryMarshal.AsBytes(buffer.AsSpan()));
        }

        public bool IsCryptographic => false;

        public string Description => "stale";

        public void Fill(Span<byte> destination) => throw new NotSupportedException();

        public ulong NextUInt64() => buffer[position++ % buffer.Length];
    }
}

using System.Numerics;
using System.Runtime.InteropServices;
using Federated.Privacy.Local.Scalars;
using Federated.Privacy.Numerics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Vectors;

/// <summary>
/// Duchi's mechanism on [−1, 1]^d: the report is ±B at every coordinate, a cube point that more likely than not agrees with the input in at
/// least half of them. Exactly ε-locally private for every d; the form usually printed is not, for even d.
/// </summary>
/// <remarks>
/// Duchi, Jordan, Wainwright, JASA 2018, §4.2.3 (ℓ∞ ball), https://arxiv.org/abs/1604.02390. Deviation (privacy.md §3.1.4): printed with
/// both half-cubes closed, cube points in exact balance belong to both and the true parameter for even d is ln(e^ε + 1). Here the second is
/// open, and the branch probability accounts for the two sizes.
/// <code>
/// n₊ = 2^(d−1) + [d even]·C(d, d/2)/2 points agree in at least half,  n₋ = 2^d − n₊ in less
/// Pr[agree] = e^ε n₊/(e^ε n₊ + n₋),   B = (e^ε n₊ + n₋)/((e^ε − 1)·C(d−1, ⌊d/2⌋)),   Var = B² − t²
/// </code>
/// Cost: O(d); d random bits a try, two tries on average. For L2-bounded vectors <see cref="PrivUnitG{T}"/> has far less error.
/// </remarks>
public sealed class DuchiHypercube : IBoxRandomizer
{
    private readonly ulong disagree;

    public DuchiHypercube(double epsilon, int dimension)
    {
        LocalEpsilon.Check(epsilon);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dimension);
        Dimension = dimension;

        // β = C(d, d/2)/2^d for even d: n₊ = 2^(d−1)(1 + β), n₋ = 2^(d−1)(1 − β).
        var tie = dimension % 2 == 0 ? CentralMass(dimension) : 0;
        var odds = Math.Exp(-epsilon) * (1 - tie) / (1 + tie);
        disagree = CoinThreshold.AtLeast(odds / (1 + odds));
        Epsilon = Math.Min(epsilon, CoinThreshold.LogOddsAgainst(disagree) + LogSpace.Log1P(-tie) - LogSpace.Log1P(tie));

        // E[T_j V_j] = C(d−1, ⌊d/2⌋)·(p/n₊ − (1−p)/n₋)
        var lean = (CoinThreshold.Complement(disagree) / (1 + tie)) - (CoinThreshold.Probability(disagree) / (1 - tie));
        Scale = 1 / (lean * 2 * Math.Exp(GammaFunction.LogBinomial(dimension - 1, dimension / 2) - (dimension * Math.Log(2))));
    }

    public string Name => "duchi-hypercube";

    public double Epsilon { get; }

    public int Dimension { get; }

    /// <summary>B.</summary>
    public double Scale { get; }

    /// <summary>Pr[the report agrees in at least half of the coordinates].</summary>
    public double AgreeProbability => CoinThreshold.Complement(disagree);

    public double Variance(double value) => (Scale * Scale) - (value * value);

    public void Randomize(ReadOnlySpan<double> values, Span<double> report, IRandomSource random)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, Dimension, nameof(values));
        var words = (Dimension + 63) / 64;
        Span<ulong> signs = new ulong[words];
        Span<ulong> point = new ulong[words];
        for (var j = 0; j < values.Length; j++)
        {
            ScalarRandomizers.CheckValue(values[j]);
            signs[j / 64] |= (random.NextDouble() < (1 + values[j]) / 2 ? 1UL : 0) << (j % 64);
        }

        var agree = !ExactBernoulli.Threshold(random, disagree);
        do
        {
            // Rejection in both branches: negating a point on the wrong side would give the balanced ones half their weight.
            random.Fill(MemoryMarshal.AsBytes(point));
        }
        while ((2 * Agreements(signs, point) >= Dimension) != agree);
        for (var j = 0; j < report.Length; j++)
        {
            report[j] = (point[j / 64] >> (j % 64) & 1) != 0 ? Scale : -Scale;
        }
    }

    private int Agreements(ReadOnlySpan<ulong> a, ReadOnlySpan<ulong> b)
    {
        var count = 0;
        for (var i = 0; i < a.Length; i++)
        {
            var same = ~(a[i] ^ b[i]);
            var bits = Dimension - (64 * i);
            count += BitOperations.PopCount(bits >= 64 ? same : same & ((1UL << bits) - 1));
        }

        return count;
    }

    /// <summary>C(d, d/2)/2^d, rounded down a little so that the branch probability errs towards privacy.</summary>
    private static double CentralMass(int dimension) => BinomialDistribution.Pmf(dimension / 2, dimension, 0.5) * (1 - 1e-13);
}

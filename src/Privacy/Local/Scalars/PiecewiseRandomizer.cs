using Federated.Privacy.Numerics;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Scalars;

/// <summary>
/// The piecewise mechanism: with high probability a uniform point of a window around the value, else a uniform point of the rest of
/// [−C, C]. Exactly ε-locally private: points are cells of an integer grid, and each cell has one of two probabilities.
/// </summary>
/// <remarks>
/// Wang et al., "Collecting and Analyzing Multidimensional Data with Local Differential Privacy", ICDE 2019, Algorithm 2,
/// https://arxiv.org/abs/1907.00782.
/// <code>
/// s = e^(ε/2), C = (s+1)/(s−1)       window of length C−1, left end (C+1)t/2 − (C−1)/2; inside with probability s/(s+1)
/// 2M cells, W in the window, a = Pr[a window cell], b = Pr[another]       a/b ≤ e^ε in integers
/// Var = t²/(s−1) + (s+3)/(3(s−1)²)                                        met to 10⁻¹⁰
/// </code>
/// Deviation: M = 2⁴⁰ cells a side in place of the reals; the window's place is rounded at random to the cells, and the report is scaled so
/// that it stays exactly unbiased. Cost: O(1).
/// </remarks>
public sealed class PiecewiseRandomizer : IScalarRandomizer
{
    private const long Half = 1L << 40;
    private readonly long window;
    private readonly ulong outside;
    private readonly double inCell;
    private readonly double outCell;
    private readonly double scale;

    public PiecewiseRandomizer(double epsilon)
    {
        LocalEpsilon.Check(epsilon);
        window = Math.Max(1, (long)Math.Round(2.0 * Half / (Math.Exp(epsilon / 2) + 1)));
        var rest = (2 * Half) - window;

        // Pr[outside]/rest ≥ e^−ε · Pr[inside]/window
        var odds = Math.Exp(-epsilon) * ((double)rest / window);
        outside = CoinThreshold.AtLeast(odds / (1 + odds));
        inCell = CoinThreshold.Complement(outside) / window;
        outCell = CoinThreshold.Probability(outside) / rest;

        // W·b = Pr[outside]·W/rest ≥ e^(−ε)·Pr[inside]: the exact ratio of a window cell to another.
        Epsilon = Math.Min(epsilon, CoinThreshold.LogOddsAgainst(outside) + LogSpace.Log1P((double)(rest - window) / window));

        // E[cell] = (a − b)·W·(centre of the window), and the centre runs over ±(M − W/2).
        scale = 1 / ((inCell - outCell) * window * (Half - (window / 2.0)));
    }

    public string Name => ScalarRandomizers.Piecewise;

    /// <summary>Cells inside and outside of the window, and the threshold of the coin between them: the law in integers.</summary>
    internal (long Window, long Others, ulong Outside) Law => (window, (2 * Half) - window, outside);

    public double Epsilon { get; }

    public double OutputBound => scale * (Half - 0.5);

    public double Variance(double value)
    {
        var position = (value + 1) / 2 * ((2 * Half) - window);
        var fraction = position - Math.Floor(position);
        var centre = value * (Half - (window / 2.0));
        double w = window, m = Half;
        var windowSquares = w * ((centre * centre) + (fraction * (1 - fraction)) + (((w * w) - 1) / 12));
        var allSquares = 2 * m * (((4 * m * m) - 1) / 12);
        return (scale * scale * (((inCell - outCell) * windowSquares) + (outCell * allSquares))) - (value * value);
    }

    public double Randomize(double value, IRandomSource random)
    {
        ScalarRandomizers.CheckValue(value);
        var left = Math.Clamp(random.NextRounded((value + 1) / 2 * ((2 * Half) - window)), 0, (2 * Half) - window);
        long cell;
        if (ExactBernoulli.Threshold(random, outside))
        {
            cell = (long)random.NextBelow((ulong)((2 * Half) - window));
            cell += cell < left ? 0 : window;
        }
        else
        {
            cell = left + (long)random.NextBelow((ulong)window);
        }

        return scale * (cell - Half + 0.5);
    }
}

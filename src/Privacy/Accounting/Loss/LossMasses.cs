using System.Numerics;
using System.Runtime.InteropServices;
using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting.Loss;

/// <summary>
/// A privacy loss distribution on a grid: <c>Mass[i]</c> is the probability, under P, of the loss ln(P/Q) = (Low + i)·Step, and
/// <c>Infinity</c> that of outcomes which Q cannot produce. It dominates the mechanism it was made from.
/// </summary>
/// <param name="step">h: width of a cell in nats; positive.</param>
/// <param name="low">Grid index of the first mass.</param>
/// <param name="mass">Non-negative probabilities.</param>
/// <param name="infinity">Probability of an infinite loss.</param>
internal sealed class LossMasses(double step, int low, double[] mass, double infinity)
{
    public double Step { get; } = step;

    public int Low { get; } = low;

    public double[] Mass { get; } = mass;

    public double Infinity { get; } = infinity;

    /// <summary>The largest finite loss.</summary>
    public double MaximumLoss => (Low + Array.FindLastIndex(Mass, m => m > 0)) * Step;

    /// <summary>ln Σ mass·e^(λ·loss): the logarithm of the moment-generating function of the finite part, at any real λ.</summary>
    /// <remarks>Horner's rule from the side where the powers fall, in vectors; the relative error grows to cells·10⁻¹⁶, fit for searching.</remarks>
    public double LogMoment(double lambda)
    {
        var ratio = Math.Exp(-Math.Abs(lambda) * Step);
        var last = Mass.Length - 1;
        return lambda >= 0
            ? Math.Log(Horner(Mass, ratio, fromTop: false)) + lambda * (Low + last) * Step
            : Math.Log(Horner(Mass, ratio, fromTop: true)) + lambda * Low * Step;
    }

    /// <summary>The masses multiplied by e^(θ·loss) and normalised, with the logarithm of what they were divided by.</summary>
    public double Tilt(double theta, double[] tilted)
    {
        // The peak exponent is found first, so that nothing overflows and only what is negligible underflows.
        var peak = double.NegativeInfinity;
        for (var i = 0; i < Mass.Length; i++)
        {
            tilted[i] = Mass[i] > 0 ? Math.Log(Mass[i]) + theta * (Low + i) * Step : double.NegativeInfinity;
            peak = Math.Max(peak, tilted[i]);
        }

        var sum = new CompensatedSum();
        for (var i = 0; i < Mass.Length; i++)
        {
            tilted[i] = Math.Exp(tilted[i] - peak);
            sum.Add(tilted[i]);
        }

        var scale = 1 / sum.Value;
        for (var i = 0; i < Mass.Length; i++)
        {
            tilted[i] *= scale;
        }

        return peak + Math.Log(sum.Value);
    }

    /// <summary>Standard deviation of the finite losses.</summary>
    public double StandardDeviation()
    {
        var (total, mean) = (0.0, 0.0);
        for (var i = 0; i < Mass.Length; i++)
        {
            total += Mass[i];
            mean += Mass[i] * (Low + i);
        }

        mean /= total;
        var square = 0.0;
        for (var i = 0; i < Mass.Length; i++)
        {
            var distance = Low + i - mean;
            square += Mass[i] * distance * distance;
        }

        return Math.Sqrt(square / total) * Step;
    }

    /// <summary>
    /// The distribution whose positive losses are these and whose negative ones mirror them (mass at −e is e^(−e) times that at e): the
    /// dominating pair of a relation that is symmetric and whose trade-off for ε ≥ 0 is this one.
    /// </summary>
    public LossMasses Symmetrized()
    {
        var top = Low + Mass.Length - 1;
        if (top < 1)
        {
            return new LossMasses(Step, 0, [1 - Infinity], Infinity);
        }

        var mirrored = new double[2 * top + 1];
        var sum = new CompensatedSum();
        for (var i = top; i >= 1; i--)
        {
            var up = i >= Low ? Mass[i - Low] : 0;
            var down = up * Math.Exp(-i * Step);
            mirrored[top + i] = up;
            mirrored[top - i] = down;
            sum.Add(up + down);
        }

        mirrored[top] = Math.Max(0, 1 - Infinity - sum.Value);
        return new LossMasses(Step, -top, mirrored, Infinity);
    }

    private static double Horner(ReadOnlySpan<double> mass, double ratio, bool fromTop)
    {
        // value = Σ mass[i]·ratio^(distance of i from the end that is reached last)
        var width = Vector<double>.Count;
        var whole = mass.Length / width * width;
        var rest = mass.Length - whole;
        var block = new Vector<double>(Math.Pow(ratio, width));
        var sum = Vector<double>.Zero;
        var value = 0.0;
        if (fromTop)
        {
            for (var i = mass.Length - 1; i >= whole; i--)
            {
                value = value * ratio + mass[i];
            }

            var vectors = MemoryMarshal.Cast<double, Vector<double>>(mass[..whole]);
            for (var i = vectors.Length - 1; i >= 0; i--)
            {
                sum = sum * block + vectors[i];
            }

            var lanes = 0.0;
            for (var lane = width - 1; lane >= 0; lane--)
            {
                lanes = lanes * ratio + sum[lane];
            }

            return lanes + value * Math.Pow(ratio, whole);
        }

        foreach (var vector in MemoryMarshal.Cast<double, Vector<double>>(mass[..whole]))
        {
            sum = sum * block + vector;
        }

        for (var lane = 0; lane < width; lane++)
        {
            value = value * ratio + sum[lane];
        }

        for (var i = 0; i < rest; i++)
        {
            value = value * ratio + mass[whole + i];
        }

        return value;
    }
}

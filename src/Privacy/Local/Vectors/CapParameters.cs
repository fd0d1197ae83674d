using Federated.Privacy.Randomness;

namespace Federated.Privacy.Local.Vectors;

/// <summary>
/// The two parameters of a cap randomiser: a cap that holds probability q, chosen with probability p, where p(1−q)/(q(1−p)) = e^ε.
/// </summary>
/// <param name="Gamma">Height of the cap.</param>
/// <param name="CapMass">q, of the cap under the input-free law.</param>
/// <param name="Miss">Threshold of the coin that falls outside the cap, in 2⁻⁶⁴: 1 − p, rounded up.</param>
internal readonly record struct CapParameters(double Gamma, double CapMass, ulong Miss)
{
    /// <summary>p.</summary>
    public double Hit => CoinThreshold.Complement(Miss);

    /// <summary>ln(p(1−q)/(q(1−p))).</summary>
    public double Epsilon => CoinThreshold.LogOddsAgainst(Miss) + Math.Log((1 - CapMass) / CapMass);

    /// <summary>p/q − (1−p)/(1−q): how far the report leans to the input.</summary>
    public double Lean => (Hit / CapMass) - (CoinThreshold.Probability(Miss) / (1 - CapMass));

    /// <summary>The parameters at a given height.</summary>
    public static CapParameters At(double gamma, double capMass, double epsilon)
    {
        // (1−p)/p = e^−ε (1−q)/q
        var odds = Math.Exp(-epsilon) * ((1 - capMass) / capMass);
        return new CapParameters(gamma, capMass, CoinThreshold.AtLeast(odds / (1 + odds)));
    }

    /// <summary>The height in [0, largest] where <paramref name="gain"/> is greatest: it has one peak.</summary>
    public static double Maximize(double largest, Func<double, double> gain)
    {
        const double ratio = 0.6180339887498949;
        var (a, b) = (0.0, largest);
        var (c, d) = (b - (ratio * (b - a)), a + (ratio * (b - a)));
        var (fc, fd) = (gain(c), gain(d));
        for (var i = 0; i < 60; i++)
        {
            // NaN (an empty cap) lies on the far side.
            if (!(fd > fc))
            {
                (b, d, fd) = (d, c, fc);
                c = b - (ratio * (b - a));
                fc = gain(c);
            }
            else
            {
                (a, c, fc) = (c, d, fd);
                d = a + (ratio * (b - a));
                fd = gain(d);
            }
        }

        return (a + b) / 2;
    }
}

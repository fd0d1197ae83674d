using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting.Renyi;

/// <summary>
/// ln E_Q[m^a] for a density ratio m = P/Q given on points with weights: the moment behind the Rényi divergence of order a (P from Q), or
/// of order 1 − a (Q from P).
/// </summary>
/// <remarks>
/// Where the result is small, E[m^a] − 1 would cancel; E[m] = 1 allows to sum m^a − 1 − a(m − 1) instead, whose terms are all of one sign
/// and, near m = 1, come from the binomial series.
/// </remarks>
/// <param name="logWeights">ln Q of each point; the weights add to 1.</param>
/// <param name="logRatios">ln m of each point; the mean of m is 1.</param>
internal sealed class MixtureMoments(double[] logWeights, double[] logRatios)
{
    private const double SmallMoment = 1e-3;
    private const double SmallTerm = 1e-2;

    /// <summary>ln E_Q[m^a].</summary>
    public double LogMoment(double a)
    {
        var peak = double.NegativeInfinity;
        for (var i = 0; i < logWeights.Length; i++)
        {
            peak = Math.Max(peak, logWeights[i] + a * logRatios[i]);
        }

        var sum = 0.0;
        for (var i = 0; i < logWeights.Length; i++)
        {
            sum += Math.Exp(logWeights[i] + a * logRatios[i] - peak);
        }

        var plain = peak + Math.Log(sum);
        return Math.Abs(plain) > SmallMoment ? plain : LogSpace.Log1P(Excess(a));
    }

    /// <summary>E_Q[m^a − 1 − a(m − 1)] = E_Q[m^a] − 1.</summary>
    private double Excess(double a)
    {
        var sum = new CompensatedSum();
        for (var i = 0; i < logWeights.Length; i++)
        {
            var (logWeight, logRatio) = (logWeights[i], logRatios[i]);
            if (logRatio > 30)
            {
                sum.Add(Math.Exp(logWeight + a * logRatio) - Math.Exp(logWeight) - a * Math.Exp(logWeight + logRatio));
                continue;
            }

            var x = LogSpace.ExpM1(logRatio);
            sum.Add(Math.Exp(logWeight) * (Math.Abs(a * x) < SmallTerm ? Series(a, x) : LogSpace.ExpM1(a * logRatio) - a * x));
        }

        return sum.Value;
    }

    /// <summary>(1 + x)^a − 1 − a·x by the binomial series, for |a·x| and |x| well below 1.</summary>
    private static double Series(double a, double x)
    {
        var term = 0.5 * a * (a - 1) * x * x;
        var sum = term;
        for (var k = 2; k < 10; k++)
        {
            term *= (a - k) / (k + 1) * x;
            sum += term;
        }

        return sum;
    }
}

using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting.Renyi;

/// <summary>Rényi divergence of mechanisms on a fixed-size sample without replacement, under replace-one.</summary>
/// <remarks>
/// <para>
/// Wang, Balle, Kasiviswanathan, "Subsampled Rényi Differential Privacy and Analytical Moments Accountant", AISTATS 2019,
/// https://arxiv.org/abs/1808.00087. Integer α: (α − 1)·D_α ≤ ln(1 + Σ_{j≥2} C(α,j)·γ^j·T_j) with, in general (theorem 9),
/// T_2 = min(4(e^D₂ − 1), e^D₂·min(2, (e^D∞ − 1)²)) and T_j = e^((j−1)D_j)·min(2, (e^D∞ − 1)^j); for the Gaussian (theorem 27) T_j also at
/// most 4·√(B(2⌊j/2⌋)·B(2⌈j/2⌉)), B(l) = E_Q[(P/Q − 1)^l]. Fractional α by chords of the convex function (α − 1)·D_α (corollary 10).
/// </para>
/// <para>
/// Deviation: B(l) is integrated by the trapezoid rule, whose terms are positive, instead of forward differences in extended precision.
/// </para>
/// </remarks>
internal static class FixedSizeGaussian
{
    private const int LargestMoment = 256;

    public static double[] Divergences(double fraction, double noiseMultiplier, double[] orders)
    {
        var largest = (int)Math.Ceiling(orders.Max());
        var moments = CentralMoments(noiseMultiplier, Math.Min(largest + 1, LargestMoment));
        var precision = 0.5 / (noiseMultiplier * noiseMultiplier);
        return Interpolate(fraction, orders, j =>
        {
            var plain = j * (j - 1.0) * precision + Math.Log(2);
            if (j == 2)
            {
                return Math.Min(plain, Math.Log(4) + LogSpace.LogExpM1(2 * precision));
            }

            var (below, above) = (j / 2, (j + 1) / 2);
            return above < moments.Length ? Math.Min(plain, Math.Log(4) + 0.5 * (moments[below] + moments[above])) : plain;
        });
    }

    /// <summary>The bound for any mechanism, from its own curve and its largest divergence.</summary>
    public static double[] General(double fraction, Func<double, double> divergence, double largestDivergence, double[] orders)
    {
        // ln min(2, (e^D∞ − 1)^j)
        var logExcess = double.IsInfinity(largestDivergence) ? double.PositiveInfinity : LogSpace.LogExpM1(largestDivergence);
        return Interpolate(fraction, orders, j =>
        {
            var term = (j - 1) * divergence(j) + Math.Min(Math.Log(2), j * logExcess);
            return j == 2 ? Math.Min(term, Math.Log(4) + LogSpace.LogExpM1(divergence(2))) : term;
        });
    }

    private static double[] Interpolate(double fraction, double[] orders, Func<int, double> logTerm)
    {
        var largest = (int)Math.Ceiling(orders.Max());
        var logTerms = new double[largest + 1];
        for (var j = 2; j <= largest; j++)
        {
            logTerms[j] = logTerm(j) + j * Math.Log(fraction);
        }

        double Moment(int order)
        {
            if (order == 1)
            {
                return 0;
            }

            var terms = new double[order - 1];
            for (var j = 2; j <= order; j++)
            {
                terms[j - 2] = GammaFunction.LogBinomial(order, j) + logTerms[j];
            }

            var logExcess = LogSpace.Sum(terms);
            return logExcess > 30 ? logExcess : LogSpace.Log1P(Math.Exp(logExcess));
        }

        return [.. orders.Select(alpha =>
        {
            var low = (int)Math.Floor(alpha);
            var part = alpha - low;
            return (part == 0 ? Moment(low) : (1 - part) * Moment(low) + part * Moment(low + 1)) / (alpha - 1);
        })];
    }

    /// <summary>ln E_Q[(P/Q − 1)^(2i)] for P = N(1, z²), Q = N(0, z²), at index i.</summary>
    private static double[] CentralMoments(double noiseMultiplier, int largest)
    {
        var step = noiseMultiplier / 8;
        var precision = 0.5 / (noiseMultiplier * noiseMultiplier);
        var reach = 40 * noiseMultiplier;
        var count = (int)Math.Ceiling((largest + 2 * reach) / step) + 1;
        var (weights, logs) = (new double[count], new double[count]);
        var logStep = Math.Log(step / (noiseMultiplier * Math.Sqrt(2 * Math.PI)));
        for (var i = 0; i < count; i++)
        {
            var z = i * step - reach;
            var loss = (2 * z - 1) * precision;
            weights[i] = -z * z * precision + logStep;
            logs[i] = loss > 0 ? LogSpace.LogExpM1(loss) : LogSpace.LogOneMinusExp(loss);
        }

        var moments = new double[largest / 2 + 1];
        var terms = new double[count];
        for (var l = 1; l < moments.Length; l++)
        {
            for (var i = 0; i < count; i++)
            {
                terms[i] = weights[i] + 2 * l * logs[i];
            }

            moments[l] = LogSpace.Sum(terms);
        }

        return moments;
    }
}

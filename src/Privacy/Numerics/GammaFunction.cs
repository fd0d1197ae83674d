namespace Federated.Privacy.Numerics;

/// <summary>ln Γ, Stirling's remainder and the regularised incomplete gamma function.</summary>
/// <remarks>
/// Stirling's series with Bernoulli numbers for x ≥ 15, the recurrence below. Tolerance: absolute error 10⁻¹⁴ for x ≤ 15, relative error
/// 2·10⁻¹⁵ beyond; the remainder itself is good to 10⁻¹⁵ absolute at every x, which is what probabilities need.
/// </remarks>
public static class GammaFunction
{
    private const double LogSqrtTwoPi = 0.91893853320467274178;
    private const double SeriesFrom = 15;

    /// <summary>ln Γ(x) for x &gt; 0.</summary>
    public static double LogGamma(double x)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(x);
        var product = 1.0;
        while (x < SeriesFrom)
        {
            product *= x;
            x++;
        }

        var stirling = (x - 0.5) * Math.Log(x) - x + LogSqrtTwoPi + StirlingSeries(x);
        return product == 1 ? stirling : stirling - Math.Log(product);
    }

    /// <summary>ln n!, for n ≥ 0.</summary>
    public static double LogFactorial(double n) => LogGamma(n + 1);

    /// <summary>ln of the binomial coefficient n over k, both real, 0 ≤ k ≤ n.</summary>
    public static double LogBinomial(double n, double k)
    {
        if (k <= 0 || k >= n)
        {
            return k == 0 || k == n ? 0 : double.NegativeInfinity;
        }

        // Differences of the large Stirling terms are taken analytically: ln Γ(10⁶) has an absolute error near 10⁻⁹.
        var rest = n - k;
        return StirlingError(n) - StirlingError(k) - StirlingError(rest)
            + k * Math.Log(n / k) - rest * LogSpace.Log1P(-k / n) + 0.5 * Math.Log(n / (2 * Math.PI * k * rest));
    }

    /// <summary>Stirling's remainder ln Γ(x + 1) − [(x + ½) ln x − x + ½ ln 2π] for x &gt; 0; about 1/(12x).</summary>
    public static double StirlingError(double x)
    {
        if (x >= SeriesFrom)
        {
            return StirlingSeries(x);
        }

        // Step down from the series: δ(x) − δ(x+1) = (x + ½)·ln(1 + 1/x) − 1.
        var steps = 0.0;
        while (x < SeriesFrom)
        {
            steps += (x + 0.5) * LogSpace.Log1P(1 / x) - 1;
            x++;
        }

        return StirlingSeries(x) + steps;
    }

    /// <summary>P(a, x) = γ(a, x)/Γ(a): the distribution function of a Gamma(a) variable.</summary>
    public static double RegularizedLower(double a, double x)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(a);
        ArgumentOutOfRangeException.ThrowIfNegative(x);
        return x < a + 1 ? LowerSeries(a, x) : 1 - UpperFraction(a, x);
    }

    /// <summary>Q(a, x) = 1 − P(a, x): the upper tail. Q(k/2, x/2) is the p-value of a chi-square statistic x with k degrees of freedom.</summary>
    public static double RegularizedUpper(double a, double x)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(a);
        ArgumentOutOfRangeException.ThrowIfNegative(x);
        if (x == 0)
        {
            return 1;
        }

        return x < a + 1 ? 1 - LowerSeries(a, x) : UpperFraction(a, x);
    }

    /// <summary>x^a e^(−x)/Γ(a + 1), by Loader's deviance so that large a keeps its digits.</summary>
    private static double Prefactor(double a, double x) =>
        Math.Exp(-Deviance.Of(a, x) - StirlingError(a)) / Math.Sqrt(2 * Math.PI * a);

    private static double LowerSeries(double a, double x)
    {
        if (x == 0)
        {
            return 0;
        }

        var term = 1.0;
        var sum = 1.0;
        for (var n = 1; term > sum * 1e-17; n++)
        {
            term *= x / (a + n);
            sum += term;
        }

        return Math.Min(1, sum * Prefactor(a, x));
    }

    private static double UpperFraction(double a, double x)
    {
        // Legendre's continued fraction by Lentz's method.
        const double tiny = 1e-300;
        var b = x + 1 - a;
        var c = 1 / tiny;
        var d = 1 / (b == 0 ? tiny : b);
        var h = d;
        for (var n = 1; n < 100_000; n++)
        {
            var an = -n * (n - a);
            b += 2;
            d = an * d + b;
            d = 1 / (d == 0 ? tiny : d);
            c = b + an / c;
            c = c == 0 ? tiny : c;
            var factor = d * c;
            h *= factor;
            if (Math.Abs(factor - 1) < 1e-16)
            {
                break;
            }
        }

        return Prefactor(a, x) * a * h;
    }

    private static double StirlingSeries(double x)
    {
        var s = 1 / (x * x);
        var sum = 1.0 / 12 - s * (1.0 / 360 - s * (1.0 / 1260 - s * (1.0 / 1680 - s * (1.0 / 1188 - s * (691.0 / 360360 - s * (1.0 / 156))))));
        return sum / x;
    }
}

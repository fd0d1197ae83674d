namespace Federated.Privacy.Numerics;

/// <summary>Probabilities and tails of Bin(n, p), relative error below 10⁻¹³ for n up to 10⁹.</summary>
/// <remarks>
/// Point probabilities by Loader's saddle-point form ("Fast and Accurate Computation of Binomial Probabilities", 2000): differences of
/// ln Γ would lose nine digits at n = 10⁶. Tails by the incomplete beta function.
/// </remarks>
public static class BinomialDistribution
{
    /// <summary>ln Pr[X = k]; −∞ outside 0 … n.</summary>
    public static double LogPmf(long k, long n, double p)
    {
        Check(n, p);
        if (k < 0 || k > n)
        {
            return double.NegativeInfinity;
        }

        if (p is 0 or 1)
        {
            return k == (p == 0 ? 0 : n) ? 0 : double.NegativeInfinity;
        }

        var q = 1 - p;
        if (k == 0)
        {
            return n * LogSpace.Log1P(-p);
        }

        if (k == n)
        {
            return n * Math.Log(p);
        }

        double x = k;
        double y = n - k;
        return GammaFunction.StirlingError(n) - GammaFunction.StirlingError(x) - GammaFunction.StirlingError(y)
            - Deviance.Of(x, n * p) - Deviance.Of(y, n * q) + 0.5 * Math.Log(n / (2 * Math.PI * x * y));
    }

    /// <summary>Pr[X = k].</summary>
    public static double Pmf(long k, long n, double p) => Math.Exp(LogPmf(k, n, p));

    /// <summary>Pr[X ≥ k].</summary>
    public static double UpperTail(long k, long n, double p)
    {
        Check(n, p);
        return k <= 0 ? 1 : k > n ? 0 : IncompleteBeta.Regularized(p, k, n - k + 1);
    }

    /// <summary>Pr[X ≤ k].</summary>
    public static double LowerTail(long k, long n, double p)
    {
        Check(n, p);
        return k < 0 ? 0 : k >= n ? 1 : IncompleteBeta.Complement(p, k + 1, n - k);
    }

    private static void Check(long n, double p)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(n);
        if (!(p is >= 0 and <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(p), p, "A binomial probability lies in [0, 1].");
        }
    }
}

namespace Federated.Privacy.Numerics;

/// <summary>The standard normal distribution: density φ, distribution function Φ, their logarithms, Mills' ratio and quantiles.</summary>
/// <remarks>Built on <see cref="ErrorFunction"/>; relative tolerance 4·10⁻¹⁵ in both tails, down to underflow.</remarks>
public static class NormalDistribution
{
    private const double InverseSqrt2 = 0.70710678118654752440;
    private const double SqrtHalfPi = 1.25331413731550025121;
    private const double InverseSqrtTwoPi = 0.39894228040143267794;
    private const double LogSqrtTwoPi = 0.91893853320467274178;

    /// <summary>φ(x) = e^(−x²/2)/√(2π).</summary>
    public static double Density(double x) => InverseSqrtTwoPi * ErrorFunction.ExpMinusSquare(Math.Abs(x) * InverseSqrt2);

    /// <summary>ln φ(x).</summary>
    public static double LogDensity(double x) => -0.5 * x * x - LogSqrtTwoPi;

    /// <summary>Φ(x) = Pr[Z ≤ x].</summary>
    public static double Cdf(double x) => 0.5 * ErrorFunction.Erfc(-x * InverseSqrt2);

    /// <summary>1 − Φ(x) = Pr[Z &gt; x], without cancellation.</summary>
    public static double UpperTail(double x) => 0.5 * ErrorFunction.Erfc(x * InverseSqrt2);

    /// <summary>ln Φ(x), finite for every finite x.</summary>
    public static double LogCdf(double x) => x > 1 ? LogSpace.Log1P(-UpperTail(x)) : ErrorFunction.LogErfc(-x * InverseSqrt2) - Math.Log(2);

    /// <summary>Mills' ratio (1 − Φ(x))/φ(x); decreasing, about 1/x for large x, +∞ below x = −37.6.</summary>
    public static double MillsRatio(double x) => SqrtHalfPi * ErrorFunction.ScaledErfc(x * InverseSqrt2);

    /// <summary>m(x) − m(x + step) for x ≥ −1 and step &gt; 0, without the cancellation that a small step causes.</summary>
    /// <remarks>∫₀^∞ e^(−t²/2 − xt)·(1 − e^(−step·t)) dt: a positive integrand, by Gauss–Legendre on three panels.</remarks>
    internal static double MillsDrop(double x, double step)
    {
        if (step > 0.1 * Math.Max(1, x))
        {
            return MillsRatio(x) - MillsRatio(x + step);
        }

        // Beyond this point the integrand is below e^−42 of its peak.
        var end = 84 / (x + Math.Sqrt(x * x + 84));
        var rule = GaussLegendre.Twenty;
        var sum = 0.0;
        var from = 0.0;
        foreach (var to in (ReadOnlySpan<double>)[0.125 * end, 0.4 * end, end])
        {
            var half = 0.5 * (to - from);
            var middle = from + half;
            for (var i = 0; i < rule.Nodes.Length; i++)
            {
                var t = middle + half * rule.Nodes[i];
                sum -= half * rule.Weights[i] * Math.Exp(-0.5 * t * t - x * t) * LogSpace.ExpM1(-step * t);
            }

            from = to;
        }

        return sum;
    }

    /// <summary>The x with Φ(x) = p.</summary>
    /// <param name="p">A probability strictly between 0 and 1.</param>
    public static double Quantile(double p)
    {
        if (!(p > 0 && p < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(p), p, "A normal quantile needs a probability strictly between 0 and 1.");
        }

        return p <= 0.5 ? -UpperQuantile(p) : UpperQuantile(1 - p);
    }

    /// <summary>The x with Pr[Z &gt; x] = p, accurate for p as small as the smallest double.</summary>
    /// <param name="p">A probability strictly between 0 and 1.</param>
    public static double UpperQuantile(double p)
    {
        if (!(p > 0 && p < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(p), p, "A normal quantile needs a probability strictly between 0 and 1.");
        }

        if (p > 0.5)
        {
            return -UpperQuantile(1 - p);
        }

        // Abramowitz and Stegun 26.2.23 (error below 5e-4), then Halley steps on ln Pr[Z > x] = ln p, whose derivative is −1/Mills.
        var logP = Math.Log(p);
        var t = Math.Sqrt(-2 * logP);
        var x = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
        for (var step = 0; step < 3; step++)
        {
            var hazard = 1 / MillsRatio(x);
            var error = ErrorFunction.LogErfc(x * InverseSqrt2) - Math.Log(2) - logP;
            var newton = error / hazard;
            x += newton / (1 - 0.5 * newton * (x - hazard));
        }

        return x;
    }
}

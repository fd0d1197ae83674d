namespace Federated.Privacy.Numerics;

/// <summary>
/// Arithmetic on the logarithms of non-negative numbers, so that e^(10⁴) neither overflows nor e^(−10⁴) vanishes, and the two
/// elementary functions that it needs near zero.
/// </summary>
public static class LogSpace
{
    private const double LogTwo = 0.69314718055994530942;

    /// <summary>e^x − 1 without cancellation near zero.</summary>
    /// <remarks>
    /// <c>double.ExpM1</c> of the base library is e^x − 1 as written and loses eight digits at x = 10⁻⁸. Kahan's quotient
    /// (u − 1)·x/ln u with u = e^x cancels the rounding of u; relative error below 10⁻¹⁵.
    /// </remarks>
    public static double ExpM1(double x)
    {
        if (Math.Abs(x) > 0.6)
        {
            return Math.Exp(x) - 1;
        }

        var u = Math.Exp(x);
        return u == 1 ? x : (u - 1) * x / Math.Log(u);
    }

    /// <summary>ln(1 + x) without cancellation near zero, by the quotient that <see cref="ExpM1"/> uses.</summary>
    public static double Log1P(double x)
    {
        if (Math.Abs(x) > 0.5)
        {
            return Math.Log(1 + x);
        }

        var u = 1 + x;
        return u == 1 ? x : Math.Log(u) * x / (u - 1);
    }

    /// <summary>ln(e^a + e^b).</summary>
    public static double Add(double a, double b)
    {
        var high = Math.Max(a, b);
        return double.IsInfinity(high) ? high : high + Log1P(Math.Exp(Math.Min(a, b) - high));
    }

    /// <summary>ln(e^a − e^b) for a ≥ b; −∞ where they are equal.</summary>
    public static double Subtract(double a, double b)
    {
        if (a < b)
        {
            throw new ArgumentOutOfRangeException(nameof(b), b, $"The difference e^{a} − e^{b} is negative and has no logarithm.");
        }

        return double.IsInfinity(a) ? a : a + LogOneMinusExp(b - a);
    }

    /// <summary>ln(1 − e^x) for x ≤ 0.</summary>
    public static double LogOneMinusExp(double x) => x > -LogTwo ? Math.Log(-ExpM1(x)) : Log1P(-Math.Exp(x));

    /// <summary>ln(e^x − 1) for x ≥ 0.</summary>
    public static double LogExpM1(double x) => x > LogTwo ? x + Log1P(-Math.Exp(-x)) : Math.Log(ExpM1(x));

    /// <summary>ln Σ e^value; −∞ for no values.</summary>
    public static double Sum(ReadOnlySpan<double> values)
    {
        var high = double.NegativeInfinity;
        foreach (var value in values)
        {
            high = Math.Max(high, value);
        }

        if (double.IsInfinity(high))
        {
            return high;
        }

        var sum = 0.0;
        foreach (var value in values)
        {
            sum += Math.Exp(value - high);
        }

        return high + Math.Log(sum);
    }
}

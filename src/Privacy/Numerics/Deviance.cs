namespace Federated.Privacy.Numerics;

/// <summary>The deviance x·ln(x/m) + m − x of a count x from its mean m, the exponent of binomial and Poisson probabilities.</summary>
/// <remarks>
/// C. Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000): close to the mean, where the terms as written cancel,
/// a series in v = (x − m)/(x + m). Relative error below 10⁻¹⁴.
/// </remarks>
internal static class Deviance
{
    public static double Of(double x, double mean)
    {
        if (x == 0)
        {
            return mean;
        }

        var difference = x - mean;
        if (Math.Abs(difference) >= 0.1 * (x + mean))
        {
            return x * Math.Log(x / mean) + mean - x;
        }

        var v = difference / (x + mean);
        var sum = difference * v;
        var term = 2 * x * v;
        v *= v;
        for (var j = 3; ; j += 2)
        {
            term *= v;
            var next = sum + term / j;
            if (next == sum)
            {
                return sum;
            }

            sum = next;
        }
    }
}

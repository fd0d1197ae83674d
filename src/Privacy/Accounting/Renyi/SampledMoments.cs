using Federated.Privacy.Numerics;

namespace Federated.Privacy.Accounting.Renyi;

/// <summary>The density ratio of a Poisson-sampled mechanism, ((1 − q)Q + qP)/Q, on quadrature points of Q.</summary>
internal static class SampledMoments
{
    // e^(−18²/2) is 10⁻⁷⁰ of the peak.
    private const double ReachDeviations = 18;

    /// <summary>N(1, z²) against N(0, z²), by the trapezoid rule, which converges geometrically here.</summary>
    /// <param name="noiseMultiplier">z.</param>
    /// <param name="probability">q.</param>
    /// <param name="largestOrder">Largest exponent to be asked for: its integrand peaks near it.</param>
    public static MixtureMoments Gaussian(double noiseMultiplier, double probability, double largestOrder)
    {
        // The ratio's nearest branch point is πz² off the real axis, and the rule's error e^(−2π·distance/step).
        var step = 0.08 * Math.Min(noiseMultiplier, Math.PI * noiseMultiplier * noiseMultiplier);
        var logStep = Math.Log(step / (noiseMultiplier * Math.Sqrt(2 * Math.PI)));
        return Line(noiseMultiplier * noiseMultiplier, 1, probability, largestOrder, step, logStep);
    }

    /// <summary>A discrete Gaussian around Δ against one around 0: the sum over the integers themselves.</summary>
    public static MixtureMoments DiscreteGaussian(double variance, int sensitivity, double probability, double largestOrder)
    {
        var normalization = 1.0;
        for (var x = 1L; x * x < 1500 * variance; x++)
        {
            normalization += 2 * Math.Exp(-0.5 * x * x / variance);
        }

        return Line(variance, sensitivity, probability, largestOrder, 1, -Math.Log(normalization));
    }

    /// <summary>Laplace(1, b) against Laplace(0, b): two half-lines of constant ratio, and Gauss–Legendre between the centres.</summary>
    public static MixtureMoments Laplace(double noiseMultiplier, double probability, double largestOrder)
    {
        var inverse = 1 / noiseMultiplier;
        var panels = (int)Math.Clamp(Math.Ceiling(1 + 0.2 * (2 * largestOrder + 1) * inverse), 1, 1 << 16);
        var rule = GaussLegendre.Twenty;
        var count = panels * rule.Nodes.Length + 2;
        var (weights, ratios) = (new double[count], new double[count]);
        (weights[0], ratios[0]) = (Math.Log(0.5), LogMixture(-inverse, probability));
        (weights[1], ratios[1]) = (Math.Log(0.5) - inverse, LogMixture(inverse, probability));
        var half = 0.5 / panels;
        var i = 2;
        for (var panel = 0; panel < panels; panel++)
        {
            for (var node = 0; node < rule.Nodes.Length; node++, i++)
            {
                var x = (2 * panel + 1 + rule.Nodes[node]) * half;
                weights[i] = Math.Log(0.5 * inverse * half * rule.Weights[node]) - x * inverse;
                ratios[i] = LogMixture((2 * x - 1) * inverse, probability);
            }
        }

        return new MixtureMoments(weights, ratios);
    }

    /// <summary>ln(1 − q + q·e^loss), without overflow.</summary>
    public static double LogMixture(double loss, double probability) => loss < 30
        ? LogSpace.Log1P(probability * LogSpace.ExpM1(loss))
        : probability == 1 ? loss
        : LogSpace.Add(Math.Log(probability) + loss, LogSpace.Log1P(-probability));

    private static MixtureMoments Line(
        double variance, double shift, double probability, double largestOrder, double step, double logStep)
    {
        var reach = ReachDeviations * Math.Sqrt(variance);
        var from = (long)Math.Floor((-(largestOrder - 1) * shift - reach) / step);
        var to = (long)Math.Ceiling((largestOrder * shift + reach) / step);
        var count = (int)Math.Min(to - from + 1, int.MaxValue / 64);
        var (weights, ratios) = (new double[count], new double[count]);
        for (var i = 0; i < count; i++)
        {
            var z = (from + i) * step;
            weights[i] = -0.5 * z * z / variance + logStep;
            ratios[i] = LogMixture(shift * (2 * z - shift) / (2 * variance), probability);
        }

        return new MixtureMoments(weights, ratios);
    }
}

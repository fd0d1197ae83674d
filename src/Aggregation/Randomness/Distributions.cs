namespace Federated.Aggregation.Randomness;

/// <summary>Draws from the usual distributions; each consumes a documented, fixed or rejection-bounded number of uniforms.</summary>
public static class Distributions
{
    /// <summary>Uniform on (0, 1]; never 0, so that its logarithm is finite.</summary>
    public static double NextPositive(this SeededRandom random) => 1.0 - random.NextDouble();

    /// <summary>Standard normal by Box–Muller (two uniforms, the sine half unused so that draws stay one-to-one).</summary>
    public static double NextNormal(this SeededRandom random) =>
        Math.Sqrt(-2.0 * Math.Log(random.NextPositive())) * Math.Cos(2.0 * Math.PI * random.NextDouble());

    /// <summary>Normal with mean <paramref name="mean"/> and standard deviation <paramref name="deviation"/>.</summary>
    public static double NextNormal(this SeededRandom random, double mean, double deviation) => mean + (deviation * random.NextNormal());

    /// <summary>exp(N(mu, sigma²)); the median is exp(mu).</summary>
    public static double NextLogNormal(this SeededRandom random, double mu, double sigma) => Math.Exp(random.NextNormal(mu, sigma));

    /// <summary>Exponential with the given mean.</summary>
    public static double NextExponential(this SeededRandom random, double mean) => -mean * Math.Log(random.NextPositive());

    /// <summary>|N(0, deviation²)|; the mean is deviation·√(2/π).</summary>
    public static double NextHalfNormal(this SeededRandom random, double deviation) => Math.Abs(deviation * random.NextNormal());

    /// <summary>Gamma(shape, 1) by Marsaglia and Tsang (ACM TOMS 2000); shapes below 1 by their boost, in logarithms against underflow.</summary>
    public static double NextGamma(this SeededRandom random, double shape) => Math.Exp(random.NextLogGamma(shape));

    /// <summary>Logarithm of a Gamma(shape, 1) draw: finite even where the draw itself underflows (shape ≪ 1).</summary>
    public static double NextLogGamma(this SeededRandom random, double shape)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shape);
        var boost = 0.0;
        if (shape < 1)
        {
            boost = Math.Log(random.NextPositive()) / shape;
            shape += 1;
        }

        var d = shape - (1.0 / 3.0);
        var c = 1.0 / Math.Sqrt(9.0 * d);
        while (true)
        {
            var x = random.NextNormal();
            var v = 1.0 + (c * x);
            if (v <= 0)
            {
                continue;
            }

            v = v * v * v;
            if (Math.Log(random.NextPositive()) < (0.5 * x * x) + d - (d * v) + (d * Math.Log(v)))
            {
                return Math.Log(d * v) + boost;
            }
        }
    }

    /// <summary>Dirichlet(concentration·1) of the given dimension; sums to 1 even for concentrations near 0.</summary>
    public static double[] NextDirichlet(this SeededRandom random, double concentration, int dimension)
    {
        var draw = new double[dimension];
        for (var i = 0; i < dimension; i++)
        {
            draw[i] = random.NextLogGamma(concentration);
        }

        var max = draw.Max();
        var sum = 0.0;
        for (var i = 0; i < dimension; i++)
        {
            draw[i] = Math.Exp(draw[i] - max);
            sum += draw[i];
        }

        for (var i = 0; i < dimension; i++)
        {
            draw[i] /= sum;
        }

        return draw;
    }
}

namespace Federated.Privacy.Randomness;

/// <summary>Gamma(shape, 1), for laws that privacy rests on only in real arithmetic.</summary>
/// <remarks>Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables", ACM TOMS 2000; shapes below 1 by their boost.</remarks>
internal static class GammaSampler
{
    public static double Next(IRandomSource random, double shape)
    {
        var boost = 1.0;
        if (shape < 1)
        {
            boost = Math.Pow(1 - random.NextDouble(), 1 / shape);
            shape++;
        }

        var d = shape - (1 / 3.0);
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            var x = random.NextNormal();
            var v = 1 + (c * x);
            if (v <= 0)
            {
                continue;
            }

            v = v * v * v;
            if (Math.Log(1 - random.NextDouble()) < (0.5 * x * x) + d - (d * v) + (d * Math.Log(v)))
            {
                return d * v * boost;
            }
        }
    }
}

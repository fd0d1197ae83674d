namespace Federated.Aggregation.Tests.Robust;

/// <summary>The rules as the papers write them, one value at a time in double: what the vectorised ones are held against.</summary>
internal static class NaiveRules
{
    public static double[] Median(double[][] x) => PerCoordinate(x, static v => (v[(v.Length - 1) / 2] * 0.5) + (v[v.Length / 2] * 0.5));

    public static double[] TrimmedMean(double[][] x, int trim) => PerCoordinate(x, v =>
    {
        var sum = 0.0;
        for (var r = trim; r < v.Length - trim; r++)
        {
            sum += v[r];
        }

        return sum / (v.Length - (2 * trim));
    });

    public static double[] Krum(double[][] x, int f) => x[BestKrum(x, f)];

    public static double[] MultiKrum(double[][] x, int f, int m) =>
        Mean([.. Enumerable.Range(0, x.Length).OrderBy(i => Score(x, i, x.Length - f - 2)).ThenBy(i => i).Take(m).Order().Select(i => x[i])]);

    public static double[] Bulyan(double[][] x, int f)
    {
        var rest = x.ToList();
        var chosen = new List<double[]>();
        while (chosen.Count < x.Length - (2 * f))
        {
            var best = BestKrum([.. rest], f);
            chosen.Add(rest[best]);
            rest.RemoveAt(best);
        }

        return PerCoordinate([.. chosen], v =>
        {
            var median = (v[(v.Length - 1) / 2] * 0.5) + (v[v.Length / 2] * 0.5);
            var nearest = v.OrderBy(value => Math.Abs(value - median)).ThenBy(value => value).Take(v.Length - (2 * f)).Order();
            return nearest.Sum() / (v.Length - (2 * f));
        });
    }

    public static double[] GeometricMedian(double[][] x, double[] weights, double smoothing, int steps)
    {
        var v = Median(x);
        for (var step = 0; step < steps; step++)
        {
            var pull = x.Select((u, i) => weights[i] / Math.Max(smoothing, Distance(u, v))).ToArray();
            v = Sum(x, [.. pull.Select(p => p / pull.Sum())]);
        }

        return v;
    }

    public static double[] CenteredClipping(double[][] x, double[] centre, double radius, int steps)
    {
        var v = centre;
        for (var step = 0; step < steps; step++)
        {
            var next = v.ToArray();
            foreach (var u in x)
            {
                var factor = Math.Min(1, radius / Distance(u, v)) / x.Length;
                for (var j = 0; j < next.Length; j++)
                {
                    next[j] += (u[j] - v[j]) * factor;
                }
            }

            v = next;
        }

        return v;
    }

    public static double[] NormBounding(double[][] x, double[] weights, double bound) =>
        Sum(x, [.. x.Select((u, i) => weights[i] / weights.Sum() / Math.Max(1, Distance(u, new double[u.Length]) / bound))]);

    public static double[] NearestAverage(double[][] x, double[] pivot, int f) =>
        Mean([.. Enumerable.Range(0, x.Length).OrderBy(i => Squared(x[i], pivot)).ThenBy(i => i).Take(x.Length - f).Order().Select(i => x[i])]);

    public static double[][] Mix(double[][] x, int f) => [.. x.Select(u => NearestAverage(x, u, f))];

    public static double Distance(double[] a, double[] b) => Math.Sqrt(Squared(a, b));

    public static double[] Mean(double[][] x) => Sum(x, [.. x.Select(_ => 1.0 / x.Length)]);

    private static int BestKrum(double[][] x, int f) =>
        Enumerable.Range(0, x.Length).OrderBy(i => Score(x, i, Math.Max(1, x.Length - f - 2))).ThenBy(i => i).First();

    private static double Score(double[][] x, int i, int neighbours) =>
        x.Where((_, j) => j != i).Select(u => Squared(u, x[i])).Order().Take(neighbours).Sum();

    private static double Squared(double[] a, double[] b) => a.Zip(b, static (s, t) => (s - t) * (s - t)).Sum();

    private static double[] Sum(double[][] x, double[] c) =>
        [.. Enumerable.Range(0, x[0].Length).Select(j => x.Select((u, i) => c[i] * u[j]).Sum())];

    private static double[] PerCoordinate(double[][] x, Func<double[], double> reduce) =>
        [.. Enumerable.Range(0, x[0].Length).Select(j => reduce([.. x.Select(u => u[j]).Order()]))];
}

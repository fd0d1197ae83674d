using Federated.Privacy.Central.Factorizations;

namespace Federated.Privacy.Tests.Central;

/// <content>What noise and sensitivity are held against.</content>
public static partial class FactorizationTests
{
    /// <summary>B·Bᵀ from first principles: Toeplitz by its decoder, trees by their recursion on symbolic normals.</summary>
    private static double[,] Covariance(IFactorization factorization, int n)
    {
        var rows = factorization is TreeFactorization tree ? TreeDecoder(tree, n) : ToeplitzDecoder(factorization, n);
        var result = new double[n, n];
        for (var s = 0; s < n; s++)
        {
            for (var t = 0; t < n; t++)
            {
                result[s, t] = rows[s].Sum(p => p.Value * rows[t].GetValueOrDefault(p.Key));
            }
        }

        return result;
    }

    private static List<Dictionary<string, double>> ToeplitzDecoder(IFactorization factorization, int n)
    {
        var strategy = Strategy(factorization, n);
        var column = ToeplitzSensitivity.Decoder([.. strategy.Select(row => row[0])], n);
        return [.. Enumerable.Range(0, n).Select(t => Enumerable.Range(0, t + 1).ToDictionary(s => $"{s}", s => column[t - s]))];
    }

    private static List<Dictionary<string, double>> TreeDecoder(TreeFactorization tree, int n)
    {
        Dictionary<string, double> Estimate(int height, int index)
        {
            var own = tree.Name == FactorizationNames.Tree || height == 0 ? 1 : TreeFactorization.OwnWeight(height);
            var result = new Dictionary<string, double> { [$"{height}:{index}"] = own };
            if (own < 1)
            {
                foreach (var child in new[] { Estimate(height - 1, 2 * index), Estimate(height - 1, (2 * index) + 1) })
                {
                    foreach (var (key, value) in child)
                    {
                        result[key] = (1 - own) * value;
                    }
                }
            }

            return result;
        }

        return [.. Enumerable.Range(1, n).Select(t =>
        {
            var row = new Dictionary<string, double>();
            for (int h = 30, start = 0; h >= 0; h--)
            {
                if ((t >> h & 1) != 0)
                {
                    foreach (var (key, value) in Estimate(h, start >> h))
                    {
                        row[key] = value;
                    }

                    start += 1 << h;
                }
            }

            return row;
        })];
    }

    private static double[][] Strategy(IFactorization factorization, int n)
    {
        if (factorization is TreeFactorization)
        {
            var nodes = new List<double[]>();
            for (var size = 1; size <= n; size *= 2)
            {
                for (var start = 0; start + size <= n; start += size)
                {
                    nodes.Add([.. Enumerable.Range(0, n).Select(t => t >= start && t < start + size ? 1.0 : 0.0)]);
                }
            }

            return [.. nodes];
        }

        double[] c = factorization switch
        {
            ToeplitzFactorization t => [.. t.Coefficients],
            BufferedLinearToeplitz b => b.Coefficients.ToArray(),
            _ => throw new NotSupportedException(),
        };
        return [.. Enumerable.Range(0, n).Select(i => Enumerable.Range(0, n).Select(j => i >= j && i - j < c.Length ? c[i - j] : 0).ToArray())];
    }
}

using System.Numerics;
using Federated.Aggregation.Randomness;
using Federated.Aggregation.Robust;

namespace Federated.Aggregation.Tests.Robust;

/// <summary>Inputs and calls that the robust tests share.</summary>
internal static class RobustTesting
{
    /// <summary>Options under which every rule tolerates 3 of 15.</summary>
    public static IReadOnlyDictionary<string, RobustRuleOptions> ThreeOfFifteen { get; } = new Dictionary<string, RobustRuleOptions>
    {
        [RobustRules.Median] = new MedianOptions(),
        [RobustRules.TrimmedMean] = new TrimmedMeanOptions { Beta = 0.2 },
        [RobustRules.Krum] = new KrumOptions { Byzantine = 3 },
        [RobustRules.MultiKrum] = new MultiKrumOptions { Byzantine = 3 },
        [RobustRules.Bulyan] = new BulyanOptions { Byzantine = 3 },
        [RobustRules.GeometricMedian] = new GeometricMedianOptions(),
        [RobustRules.NormBounding] = new NormBoundingOptions { Bound = 2, OfMedian = true },
        [RobustRules.CenteredClipping] = new CenteredClippingOptions { Radius = 5, Steps = 4 },
        [RobustRules.NearestNeighbourMixing] = new NearestNeighbourMixingOptions { Byzantine = 3, Inner = new TrimmedMeanOptions { Beta = 0.2 } },
        [RobustRules.NearestNeighbourAveraging] = new NearestNeighbourAveragingOptions { Byzantine = 3 },
    };

    public static TheoryData<string> RuleNames => [.. RobustRules.All];

    public static TheoryData<string> CoordinateWiseNames => [RobustRules.Median, RobustRules.TrimmedMean];

    /// <summary>n normal vectors; with <paramref name="levels"/> &gt; 0 rounded to that few values, so that ties abound.</summary>
    public static double[][] Normal(ulong seed, int n, int d, int levels = 0)
    {
        var random = SeededRandom.Derive(seed, "robust-tests", n, d);
        var vectors = new double[n][];
        for (var i = 0; i < n; i++)
        {
            vectors[i] = new double[d];
            for (var j = 0; j < d; j++)
            {
                var value = (float)random.NextNormal();
                vectors[i][j] = levels == 0 ? value : Math.Clamp(Math.Round(value * levels / 3), -levels, levels);
            }
        }

        return vectors;
    }

    public static double[] Combine<T>(IRobustRule<T> rule, double[][] vectors, double[]? weights = null, int threads = 1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var held = new HeldUpdates<T>([.. vectors.Select(v => (ReadOnlyMemory<T>)v.Select(T.CreateChecked).ToArray())], weights) { Threads = threads };
        var result = new T[held.Dimension];
        rule.Combine(held, result);
        return [.. result.Select(double.CreateChecked)];
    }

    public static double[] Combine<T>(string name, double[][] vectors, double[]? weights = null, int threads = 1)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        Combine(RobustRules.Create<T>(ThreeOfFifteen[name], vectors[0].Length), vectors, weights, threads);

    public static double[][] Permuted(double[][] vectors, ulong seed)
    {
        var copy = vectors.ToArray();
        new SeededRandom(seed).Shuffle<double[]>(copy);
        return copy;
    }

    public static void Close(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var j = 0; j < expected.Length; j++)
        {
            var scale = Math.Max(1, Math.Abs(expected[j]));
            Assert.True(Math.Abs(expected[j] - actual[j]) <= tolerance * scale, $"coordinate {j}: expected {expected[j]:R}, got {actual[j]:R}");
        }
    }
}

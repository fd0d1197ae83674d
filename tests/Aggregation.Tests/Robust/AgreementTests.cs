using Federated.Aggregation.Robust;
using static Federated.Aggregation.Tests.Robust.RobustTesting;

namespace Federated.Aggregation.Tests.Robust;

/// <summary>The vectorised rules against <see cref="NaiveRules"/>, over odd and even n, with and without ties, and awkward lengths.</summary>
public class AgreementTests
{
    private const double Exact = 1e-12;

    public static TheoryData<int, int, int> Shapes
    {
        get
        {
            var shapes = new TheoryData<int, int, int>();
            foreach (var n in new[] { 11, 12, 15, 20 })
            {
                foreach (var d in new[] { 1, 15, 16, 530 })
                {
                    shapes.Add(n, d, 0);
                    shapes.Add(n, d, 3);
                }
            }

            return shapes;
        }
    }

    public static TheoryData<int> Counts => [.. Enumerable.Range(1, 40), 64, 100, 129, 200];

    [Theory]
    [MemberData(nameof(Counts))]
    public void Median_of_any_count_is_the_naive_one_to_the_bit(int n)
    {
        foreach (var levels in new[] { 0, 2 })
        {
            var x = Normal(7, n, 37, levels);
            Assert.Equal(NaiveRules.Median(x), Combine<double>(RobustRules.Median, x));
            Assert.Equal(NaiveRules.Median(x).Select(v => (float)v), Combine<float>(RobustRules.Median, x).Select(v => (float)v));
        }
    }

    [Theory]
    [MemberData(nameof(Counts))]
    public void Trimmed_mean_of_any_count_is_the_naive_one_to_the_bit(int n)
    {
        foreach (var beta in new[] { 0, 0.1, 0.29, 0.4999 })
        {
            var x = Normal(8, n, 37, levels: n % 2 == 0 ? 0 : 4);
            var rule = new TrimmedMean<double>(new TrimmedMeanOptions { Beta = beta });
            Assert.Equal(NaiveRules.TrimmedMean(x, (int)Math.Floor((beta * n) + 1e-9)), Combine(rule, x));
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Krum_family(int n, int d, int levels)
    {
        var x = Normal(9, n, d, levels);
        var f = 2;
        Close(NaiveRules.Krum(x, f), Combine(new Krum<double>(new() { Byzantine = f }), x), 0);
        Close(NaiveRules.MultiKrum(x, f, n - f - 2), Combine(new MultiKrum<double>(new() { Byzantine = f }), x), Exact);
        Close(NaiveRules.MultiKrum(x, f, 3), Combine(new MultiKrum<double>(new() { Byzantine = f, Selected = 3 }), x), Exact);
        Close(NaiveRules.Bulyan(x, f), Combine(new Bulyan<double>(new() { Byzantine = f }), x), Exact);
        Close(NaiveRules.Bulyan(x, f), Combine(new Bulyan<float>(new() { Byzantine = f }), x), 1e-6);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Iterative_rules(int n, int d, int levels)
    {
        var x = Normal(10, n, d, levels);
        var weights = Enumerable.Range(1, n).Select(i => (double)i).ToArray();
        var shares = weights.Select(w => w / weights.Sum()).ToArray();
        var geometric = new GeometricMedianOptions { Steps = 5, Tolerance = 0, Smoothing = 0.5 };
        var same = shares.Select(_ => 1.0 / n).ToArray();

        // With Tolerance = 0 the rule may stop early only where the objective no longer falls, at the minimum to rounding.
        var tolerance = d == 1 ? 1e-6 : 1e-9;
        Close(NaiveRules.GeometricMedian(x, shares, 0.5, 5), Combine(new GeometricMedian<double>(geometric), x, weights), tolerance);
        Close(NaiveRules.GeometricMedian(x, same, 0.5, 5), Combine(new GeometricMedian<double>(geometric with { Weighted = false }), x, weights), tolerance);
        Close(
            NaiveRules.CenteredClipping(x, new double[d], 0.7, 4),
            Combine(new CenteredClipping<double>(new() { Radius = 0.7, Steps = 4 }, d), x), Exact);
        Close(NaiveRules.NormBounding(x, weights, 0.9), Combine(new NormBounding<double>(new() { Bound = 0.9 }), x, weights), Exact);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Nearest_neighbours(int n, int d, int levels)
    {
        var x = Normal(11, n, d, levels);
        var f = 4;
        var averaging = new NearestNeighbourAveraging<double>(new() { Byzantine = f });
        Close(NaiveRules.NearestAverage(x, NaiveRules.Median(x), f), Combine(averaging, x), Exact);
        var mixed = NaiveRules.Mix(x, f);
        Close(
            NaiveRules.TrimmedMean(mixed, f),
            Combine(new NearestNeighbourMixing<double>(new() { Byzantine = f }, new TrimmedMean<double>(new() { Beta = (f + 0.5) / n })), x), Exact);
        Close(
            NaiveRules.CenteredClipping(mixed, new double[d], 1, 1),
            Combine(new NearestNeighbourMixing<double>(new() { Byzantine = f }, new CenteredClipping<double>(new() { Radius = 1 }, d)), x), Exact);
    }

    [Fact]
    public void Large_dimensions_cross_stretches_without_a_seam()
    {
        var d = 40_001;
        var x = Normal(12, 9, d);
        Assert.Equal(NaiveRules.Median(x), Combine<double>(RobustRules.Median, x, threads: 3));
        Close(NaiveRules.Krum(x, 2), Combine(new Krum<double>(new() { Byzantine = 2 }), x, threads: 3), 0);
        Close(NaiveRules.NormBounding(x, [1, 1, 1, 1, 1, 1, 1, 1, 1], 1), Combine(new NormBounding<double>(new()), x, threads: 3), Exact);
        Close(
            NaiveRules.Median(NaiveRules.Mix(x, 2)),
            Combine(new NearestNeighbourMixing<double>(new() { Byzantine = 2 }, new CoordinateMedian<double>()), x, threads: 3), Exact);
    }
}

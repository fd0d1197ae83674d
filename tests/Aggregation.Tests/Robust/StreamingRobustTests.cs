using Federated.Aggregation.Robust;
using static Federated.Aggregation.Tests.Robust.RobustTesting;

namespace Federated.Aggregation.Tests.Robust;

/// <summary>The streaming forms against the rules that hold every update.</summary>
public class StreamingRobustTests
{
    private const int D = 700;

    private static double[] Stream(IAggregator<double> aggregator, double[][] updates, out CombineReport report)
    {
        for (var i = 0; i < updates.Length; i++)
        {
            aggregator.Add(new Contribution<double>(i, updates[i], 1 + (i % 3)) { Sequence = i });
        }

        var result = new double[D];
        report = aggregator.Combine(result);
        return result;
    }

    private static double[] Weights(int n) => [.. Enumerable.Range(0, n).Select(i => 1.0 + (i % 3))];

    [Fact]
    public void Norm_bounding()
    {
        var options = new NormBoundingOptions { Bound = 26 };
        var x = Normal(31, 11, D);
        var streamed = Stream(new NormBoundedMean<double>(options, D), x, out var report);
        Close(Combine(new NormBounding<double>(options), x, Weights(11)), streamed, 1e-12);
        Close(NaiveRules.NormBounding(x, Weights(11), 26), streamed, 1e-12);
        Assert.InRange(report.WeightSum, 0.8, 0.9999);
    }

    [Fact]
    public void Centered_clipping_over_several_combinations()
    {
        var options = new CenteredClippingOptions { Radius = 20 };
        var (streaming, held) = (new CenteredClippingMean<double>(options, D), new CenteredClipping<double>(options, D));
        for (ulong round = 0; round < 4; round++)
        {
            var x = Normal(round, 11, D);
            Close(Combine(held, x), Stream(streaming, x, out _), 1e-12);
            Close(held.State["centre"].ToArray(), streaming.State["centre"].ToArray(), 1e-12);
        }
    }

    [Fact]
    public void Centered_clipping_leaves_out_weight_0()
    {
        var streaming = new CenteredClippingMean<double>(new CenteredClippingOptions { Radius = 1e9 }, 2);
        streaming.Add(new Contribution<double>(5, [1, 2], 1));
        streaming.Add(new Contribution<double>(3, [9, 9], 0));
        var result = new double[2];
        var report = streaming.Combine(result);
        Assert.Equal([1, 2], result);
        Assert.Equal([(3, "weight 0")], report.LeftOut);
        Assert.Equal(1, report.Count);
    }

    [Fact]
    public void What_cannot_stream_is_refused()
    {
        Assert.Throws<AggregationException>(() => new NormBoundedMean<float>(new NormBoundingOptions { OfMedian = true }, 3));
        Assert.Throws<AggregationException>(() => new CenteredClippingMean<float>(new CenteredClippingOptions { Steps = 2 }, 3));
    }
}

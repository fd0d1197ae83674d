using Federated.Aggregation.Parameters;

namespace Federated.Aggregation.Tests.Parameters;

public class ParameterLayoutTests
{
    [Fact]
    public void Tensors_follow_each_other_without_gaps()
    {
        var layout = ParameterLayout.Of(("w", [2, 3]), ("b", [3]), ("scale", []), ("none", [4, 0]));
        Assert.Equal([0, 6, 9, 10], layout.Tensors.Select(t => t.Offset));
        Assert.Equal([6, 3, 1, 0], layout.Tensors.Select(t => t.Length));
        Assert.Equal(10, layout.Count);
        var buffer = new float[10];
        layout["b"].In(buffer.AsSpan()).Fill(1);
        Assert.Equal([0, 0, 0, 0, 0, 0, 1, 1, 1, 0], buffer);
    }

    [Fact]
    public void Equality_is_of_names_shapes_and_order()
    {
        var layout = ParameterLayout.Of(("w", [2, 3]), ("b", [3]));
        Assert.Equal(layout, ParameterLayout.Of(("w", [2, 3]), ("b", [3])));
        Assert.NotEqual(layout, ParameterLayout.Of(("b", [3]), ("w", [2, 3])));
        Assert.NotEqual(layout, ParameterLayout.Of(("w", [3, 2]), ("b", [3])));
        Assert.NotEqual(layout, ParameterLayout.Of(("v", [2, 3]), ("b", [3])));
    }

    [Fact]
    public void A_name_cannot_pass_for_a_shape()
    {
        var two = ParameterLayout.Of(("a", [1]), ("b", [1]));
        var one = ParameterLayout.Of(("a[1]\n1:b", [1]));
        Assert.NotEqual(two.Hash, one.Hash);
    }

    [Fact]
    public void What_cannot_be_laid_out_is_refused_with_the_reason()
    {
        Assert.Contains("twice", Assert.Throws<AggregationException>(() => ParameterLayout.Of(("a", [1]), ("a", [2]))).Message);
        Assert.Contains("-1", Assert.Throws<AggregationException>(() => ParameterLayout.Of(("a", [-1]))).Message);
        Assert.Contains("more than", Assert.Throws<AggregationException>(() => ParameterLayout.Of(("a", [1 << 16, 1 << 15]))).Message);
        Assert.Contains(
            "more than",
            Assert.Throws<AggregationException>(() => ParameterLayout.Of(("a", [int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue]))).Message);
        Assert.Equal(0, ParameterLayout.Of(("a", [int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue, 0])).Count);
        Assert.Contains("'x'", Assert.Throws<AggregationException>(() => ParameterLayout.Of(("a", [1]))["x"]).Message);
        Assert.Null(ParameterLayout.Of(("a", [1])).Find("x"));
    }
}

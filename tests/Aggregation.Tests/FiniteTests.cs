namespace Federated.Aggregation.Tests;

public class FiniteTests
{
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void The_first_bad_element_is_found_wherever_it_stands(float bad)
    {
        foreach (var length in new[] { 1, 7, 64, 100, 4096, 4097, 10_000 })
        {
            foreach (var at in new[] { 0, length / 2, length - 1 })
            {
                var values = new float[length];
                values[at] = bad;
                values[^1] = bad;
                Assert.Equal(at, Finite.FirstNonFinite<float>(values));
                Assert.False(Finite.All<float>(values));
                Assert.Equal(at, Finite.FirstNonFinite<double>(values.Select(v => (double)v).ToArray()));
            }
        }
    }

    [Fact]
    public void The_extremes_of_the_finite_numbers_pass()
    {
        Assert.True(Finite.All<float>([float.MaxValue, float.MinValue, float.Epsilon, -0f]));
        Assert.True(Finite.All<double>([double.MaxValue, double.MinValue, double.Epsilon]));
        Assert.Equal(-1, Finite.FirstNonFinite<float>([]));
    }
}

using Federated.Aggregation.ExampleWeights;

namespace Federated.Aggregation.Tests.ExampleWeights;

public class ExampleWeightTests
{
    [Fact]
    public void Are_the_four_functions()
    {
        Assert.Equal(1, new EqualExampleWeight().Of(99));
        Assert.Equal(99, new LinearExampleWeight().Of(99));
        Assert.Equal(3, new SquareRootExampleWeight().Of(9));
        Assert.Equal(2, new LogarithmicExampleWeight().Of(99), 1e-12);
    }

    [Fact]
    public void No_examples_weigh_nothing_unless_all_weigh_alike()
    {
        Assert.Equal(0, new LinearExampleWeight().Of(0));
        Assert.Equal(0, new SquareRootExampleWeight().Of(0));
        Assert.Equal(0, new LogarithmicExampleWeight().Of(0));
        Assert.Equal(1, new EqualExampleWeight().Of(0));
    }

    [Fact]
    public void The_unit_can_be_moved()
    {
        Assert.Equal(2, new LinearExampleWeight { UnitAt = 50 }.Of(100));
        Assert.Equal(1, new LogarithmicExampleWeight { UnitAt = 7 }.Of(7));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void What_is_no_number_of_examples_is_refused(double examples) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new LinearExampleWeight().Of(examples));
}

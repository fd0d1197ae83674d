using System.ComponentModel.DataAnnotations;
using Federated.Aggregation.Staleness;

namespace Federated.Aggregation.Tests.Staleness;

public class StalenessWeightTests
{
    public static TheoryData<StalenessWeight> All =>
    [
        new ConstantStaleness(), new PolynomialStaleness(), new PolynomialStaleness { Exponent = 2 }, new HingeStaleness(),
        new HingeStaleness { Slope = 0.3, Bound = 0 }, new ExponentialStaleness(), new ThresholdStaleness(), new ThresholdStaleness { Cutoff = 0, Beyond = 0.2 },
    ];

    /// <summary>algorithms.md §H1, FedAsync row.</summary>
    [Fact]
    public void Follow_the_table()
    {
        var hinge = new HingeStaleness();
        for (var staleness = 0; staleness <= 4; staleness++)
        {
            Assert.Equal(1, hinge.Of(staleness));
        }

        Assert.Equal(1 / 11.0, hinge.Of(5), 1e-12);
        Assert.Equal(1 / 21.0, hinge.Of(6), 1e-12);
        Assert.Equal(1 / 101.0, hinge.Of(14), 1e-12);
        Assert.Equal(0.4472135955, new PolynomialStaleness().Of(4), 1e-10);
        Assert.Equal(0.4082482905, new PolynomialStaleness().Of(5), 1e-10);
        Assert.Equal(Math.Exp(-1), new ExponentialStaleness().Of(2), 1e-12);
        Assert.Equal([1.0, 0.0], new[] { 10, 11 }.Select(new ThresholdStaleness().Of));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Fresh_updates_weigh_one_and_older_ones_never_more(StalenessWeight weight)
    {
        Assert.Equal(1, weight.Of(0));
        for (var staleness = 0; staleness < 300; staleness++)
        {
            Assert.InRange(weight.Of(staleness + 1), 0, weight.Of(staleness));
        }

        Assert.True(double.IsFinite(weight.Of(int.MaxValue)));
        Assert.Throws<ArgumentOutOfRangeException>(() => weight.Of(-1));
        Assert.NotEmpty(weight.Name);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Asking_again_gives_the_same(StalenessWeight weight) => Assert.Equal(weight.Of(7), weight.Of(7));

    [Fact]
    public void The_unit_can_be_moved_as_FLSim_does()
    {
        var weight = new PolynomialStaleness { UnitAt = 1 };
        Assert.Equal(Math.Sqrt(2), weight.Of(0), 1e-12);
        Assert.Equal(1, weight.Of(1), 1e-12);
    }

    [Fact]
    public void The_unit_cannot_be_where_the_weight_is_zero()
    {
        var weight = new ThresholdStaleness { UnitAt = 11 };
        Assert.Contains("unitAt", Assert.Single(weight.Validate(new ValidationContext(weight))).ErrorMessage);
        Assert.Empty(new ThresholdStaleness { UnitAt = 10 }.Validate(new ValidationContext(weight)));
    }
}

using Federated.Privacy.Numerics;

namespace Federated.Privacy.Tests.Numerics;

/// <summary>Golden values: mpmath 1.3, 50 digits.</summary>
public static class NormalDistributionTests
{
    public sealed class Quantile
    {
        [Theory]
        [InlineData(0.3, 0.52440051270804082)]
        [InlineData(0.01, 2.3263478740408411)]
        [InlineData(1e-5, 4.2648907939228246)]
        [InlineData(1e-10, 6.3613409024040562)]
        [InlineData(1e-100, 21.273453560965324)]
        [InlineData(1e-300, 37.047096299361199)]
        public void Inverts_the_upper_tail(double p, double expected)
        {
            Near.Relative(expected, NormalDistribution.UpperQuantile(p), 4e-15);
            Near.Relative(-expected, NormalDistribution.Quantile(p), 4e-15);
        }

        [Theory]
        [InlineData(0)]
        [InlineData(1)]
        [InlineData(double.NaN)]
        public void Refuses_what_is_no_probability(double p) =>
            Assert.Throws<ArgumentOutOfRangeException>(() => NormalDistribution.Quantile(p));
    }

    public sealed class MillsDrop
    {
        [Theory]
        [InlineData(-1, 1e-06, 4.4770478346547006e-6)]
        [InlineData(0, 0.0001, 9.9993733762631095e-5)]
        [InlineData(0.3, 0.05, 0.034006111504591525)]
        [InlineData(5, 0.001, 3.5952972206149352e-5)]
        [InlineData(5, 0.7, 0.022334343969387906)]
        [InlineData(20, 1e-05, 2.4814791316713541e-8)]
        [InlineData(30, 2.9, 0.0029292858055083421)]
        [InlineData(2, 1, 0.11677893057795118)]
        public void Keeps_its_digits_for_small_steps(double x, double step, double expected) =>
            Near.Relative(expected, NormalDistribution.MillsDrop(x, step), 2e-14);
    }

    public sealed class Tails
    {
        [Fact]
        public void Add_to_one()
        {
            for (var x = -8.0; x <= 8; x += 0.37)
            {
                Near.Absolute(1, NormalDistribution.Cdf(x) + NormalDistribution.UpperTail(x), 4e-16);
                Near.Relative(NormalDistribution.UpperTail(x), NormalDistribution.MillsRatio(x) * NormalDistribution.Density(x), 4e-15);
                Near.Absolute(Math.Log(NormalDistribution.Cdf(x)), NormalDistribution.LogCdf(x), 1e-14);
            }
        }
    }
}

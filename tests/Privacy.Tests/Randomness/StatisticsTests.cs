using Federated.Privacy.Accounting;
using Federated.Privacy.Numerics;

namespace Federated.Privacy.Tests.Randomness;

/// <summary>How many draws the statistical tests need to see a given mistake: the reason for the sample sizes that stand in them.</summary>
public sealed class StatisticsTests
{
    /// <summary>A thousandth: the chance that a test of this size misses the mistake.</summary>
    private const double Miss = 3.0902323;

    /// <summary>Draws after which the variance test fails where the deviation is c times what is stated.</summary>
    private static double Draws(double c, double kurtosis) =>
        (kurtosis - 1) * Math.Pow((Statistics.Z + (c * c * Miss)) / ((c * c) - 1), 2);

    [Theory]
    [InlineData(0.5, 115, 286)]
    [InlineData(0.95, 12412, 31028)]
    [InlineData(2, 67, 166)]
    public void A_variance_test_needs_this_many_draws(double c, int gaussian, int laplace)
    {
        Assert.Equal(gaussian, Draws(c, 3), 0.01 * gaussian + 1);
        Assert.Equal(laplace, Draws(c, 6), 0.01 * laplace + 1);
    }

    [VectorFact("statistical_test_power")]
    public void All_match()
    {
        const double sigma = 3.730631634; // ε = 1, δ = 10⁻⁵
        foreach (var row in VectorFile.Read("statistical_test_power"))
        {
            var c = row.Number("c");
            A_variance_test_needs_this_many_draws(c, row.Integer("N_gauss_var"), row.Integer("N_laplace_var"));
            var delta = AnalyticGaussian.Delta(c * sigma, 1);
            Near.Relative(row.Number("true_delta_eps1"), delta, 1e-2, row.ToString());
            if (!double.IsNaN(row.Number("N_dp")))
            {
                // Two proportions at the best threshold: a direct test of (ε, δ) needs thousands of times more.
                var s = c * sigma;
                var (p, q) = (NormalDistribution.UpperTail(((s * s) - 0.5) / s), NormalDistribution.UpperTail(((s * s) + 0.5) / s));
                var draws = (p * (1 - p) + (Math.Exp(2) * q * (1 - q))) * Math.Pow(Statistics.Z / (delta - 1e-5), 2);
                Near.Relative(row.Number("N_dp"), draws, 1e-2, row.ToString());
            }
        }
    }
}

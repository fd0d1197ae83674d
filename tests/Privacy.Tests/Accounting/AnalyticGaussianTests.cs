using Federated.Privacy.Accounting;
using FsCheck;
using FsCheck.Fluent;

namespace Federated.Privacy.Tests.Accounting;

public static class AnalyticGaussianTests
{
    public sealed class Delta
    {
        /// <summary>Golden values: mpmath, 60 digits, from Balle and Wang's formula as written.</summary>
        [Theory]
        [InlineData(1, 0, 0.38292492254802621)]
        [InlineData(1, 1, 0.12693673750664395)]
        [InlineData(0.1, 60, 0.13683538039646113)]
        [InlineData(0.05, 600, 1.3742480638150675e-89)]
        [InlineData(1000, 0, 0.00039894226377883828)]
        [InlineData(1000, 0.001, 8.3357132125208489e-5)]
        [InlineData(1000, 0.005, 5.3595470410572097e-11)]
        [InlineData(1e6, 2e-6, 8.4907111075356673e-9)]
        [InlineData(5, 2, 4.0437035667648971e-25)]
        [InlineData(30, 0.7, 7.3523928189305113e-101)]
        public void Keeps_its_digits_far_out(double noiseMultiplier, double epsilon, double expected) =>
            Near.Relative(expected, AnalyticGaussian.Delta(noiseMultiplier, epsilon), 1e-12);
    }

    public sealed class Epsilon
    {
        [Theory]
        [InlineData(0.3, 1e-5, 19.1307678344)]
        [InlineData(1, 1e-6, 4.88655411746)]
        [InlineData(30, 1e-6, 0.122651048078)]
        public void Matches_the_reference(double noiseMultiplier, double delta, double expected) =>
            Near.Relative(expected, AnalyticGaussian.Epsilon(noiseMultiplier, delta), 1e-9);

        [Fact]
        public void Is_certified_at_the_value_returned() => Prop.ForAll(
            Gen.Choose(1, 4000).Select(i => i / 100.0).ToArbitrary(),
            Gen.Choose(1, 40).Select(i => Math.Pow(10, -i / 2.0)).ToArbitrary(),
            (noiseMultiplier, delta) =>
                AnalyticGaussian.Delta(noiseMultiplier, AnalyticGaussian.Epsilon(noiseMultiplier, delta)) <= delta)
            .Check(Config.QuickThrowOnFailure.WithReplay(20260101UL, 3UL));

        [Fact]
        public void Is_zero_where_delta_alone_covers_the_release() => Assert.Equal(0, AnalyticGaussian.Epsilon(1e6, 0.01));

        [Fact]
        public void Vanishes_as_the_noise_grows() => Assert.True(AnalyticGaussian.Epsilon(1e4, 1e-6) < 1e-3);

        [Theory]
        [InlineData(0, 1e-5)]
        [InlineData(-1, 1e-5)]
        [InlineData(double.NaN, 1e-5)]
        [InlineData(1, 0)]
        [InlineData(1, 1)]
        public void Refuses_nonsense(double noiseMultiplier, double delta) =>
            Assert.Throws<PrivacyException>(() => AnalyticGaussian.Epsilon(noiseMultiplier, delta));
    }

    public sealed class NoiseMultiplier
    {
        [Theory]
        [InlineData(1, 1e-5, 3.73063163482)]
        [InlineData(16, 1e-5, 0.344177428496)]
        [InlineData(4, 1e-6, 1.19351858716)]
        public void Matches_the_reference(double epsilon, double delta, double expected) =>
            Near.Relative(expected, AnalyticGaussian.NoiseMultiplier(epsilon, delta), 1e-9);

        /// <summary>The classical √(2 ln(1.25/δ))/ε is too small an amount of noise beyond ε = 1.</summary>
        [Fact]
        public void Exceeds_the_classical_formula_where_that_is_wrong() =>
            Assert.True(AnalyticGaussian.NoiseMultiplier(16, 1e-5) > Math.Sqrt(2 * Math.Log(1.25e5)) / 16);
    }

    public sealed class Compose
    {
        [Fact]
        public void Adds_precisions() =>
            Near.Relative(1 / Math.Sqrt(4 / 4.0 + 3 / 9.0), AnalyticGaussian.Compose([(2, 4), (3, 3)]), 1e-15);
    }

    public sealed class Vectors
    {
        [VectorFact("gaussian_analytic")]
        public void All_match()
        {
            foreach (var row in VectorFile.Read("gaussian_analytic"))
            {
                var (input, delta) = (row.Number("in"), row.Number("delta"));
                var actual = row["kind"] == "eps" ? AnalyticGaussian.Epsilon(input, delta) : AnalyticGaussian.NoiseMultiplier(input, delta);
                Near.Relative(row.Number("out"), actual, 1e-9, row.ToString());
            }
        }
    }
}

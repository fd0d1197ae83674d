using Federated.Privacy.Numerics;
using FsCheck;
using FsCheck.Fluent;

namespace Federated.Privacy.Tests.Numerics;

/// <summary>Golden values: mpmath 1.3, 40 digits and more.</summary>
public static class ProbabilityFunctionTests
{
    public sealed class LogGamma
    {
        [Theory]
        [InlineData(0.1, 2.2527126517342059, 0.51274008133191493)]
        [InlineData(0.5, 0.57236494292470009, 0.15342640972002735)]
        [InlineData(1.5, -0.12078223763524522, 0.054814121051917654)]
        [InlineData(2.5, 0.28468287047291916, 0.033162873519936287)]
        [InlineData(7.3, 7.1478925230222487, 0.011408422368027265)]
        [InlineData(14.9, 24.924132002217278, 0.0055920025122508302)]
        [InlineData(15, 25.191221182738682, 0.0055547335519628014)]
        [InlineData(100, 359.1342053695754, 0.00083333055563491468)]
        [InlineData(1e6, 12815504.569147612, 8.3333333333330556e-8)]
        [InlineData(1e9, 19723265827.503717, 8.3333333333333333e-11)]
        public void And_stirlings_remainder_are_accurate(double x, double logGamma, double remainder)
        {
            Near.Absolute(logGamma, GammaFunction.LogGamma(x), 1e-14 + 2e-15 * Math.Abs(logGamma));
            Near.Absolute(remainder, GammaFunction.StirlingError(x), 3e-15);
        }
    }

    public sealed class LogBinomial
    {
        [Fact]
        public void Counts_subsets()
        {
            Near.Relative(Math.Log(252), GammaFunction.LogBinomial(10, 5), 1e-14);
            Assert.Equal(0, GammaFunction.LogBinomial(10, 10));
            Assert.Equal(double.NegativeInfinity, GammaFunction.LogBinomial(10, 11));
        }
    }

    public sealed class IncompleteGamma
    {
        [Theory]
        [InlineData(0.5, 0.2, 0.52708925686553807)]
        [InlineData(3, 10, 0.0027693957155115759)]
        [InlineData(50, 40, 0.92966493334060505)]
        [InlineData(50, 90, 1.6494985017178248e-6)]
        [InlineData(500, 480, 0.8137180268096754)]
        [InlineData(1e5, 1.01e5, 0.00080842151292559073)]
        public void Gives_chi_square_tails(double a, double x, double upper)
        {
            Near.Relative(upper, GammaFunction.RegularizedUpper(a, x), 1e-12);
            Near.Absolute(1 - upper, GammaFunction.RegularizedLower(a, x), 1e-12);
        }
    }

    public sealed class Beta
    {
        [Theory]
        [InlineData(0.3, 2, 5, 0.579825)]
        [InlineData(0.5, 0.5, 0.5, 0.5)]
        [InlineData(0.01, 0.5, 200, 0.95490589286292022)]
        [InlineData(0.5, 50, 51, 0.53979461869358938)]
        [InlineData(0.999, 300, 2, 0.96291914180292924)]
        [InlineData(0.48, 500, 510, 0.16939194082777406)]
        public void Is_regularised(double x, double a, double b, double expected)
        {
            Near.Relative(expected, IncompleteBeta.Regularized(x, a, b), 1e-13);
            Near.Absolute(1 - expected, IncompleteBeta.Complement(x, a, b), 1e-13);
        }

        [Fact]
        public void Inverse_inverts() => Prop.ForAll(
            Gen.Choose(1, 999).Select(i => i / 1000.0).ToArbitrary(),
            Gen.Choose(1, 400).Select(i => i / 4.0).ToArbitrary(),
            Gen.Choose(1, 400).Select(i => i / 4.0).ToArbitrary(),
            (p, a, b) =>
            {
                // The inverse is rounded: where the function is steep, one step of x moves it by more than its own accuracy.
                var x = IncompleteBeta.Inverse(p, a, b);
                var step = IncompleteBeta.Regularized(Math.Min(1, Math.BitIncrement(x)), a, b) - IncompleteBeta.Regularized(Math.BitDecrement(x), a, b);
                Near.Absolute(p, IncompleteBeta.Regularized(x, a, b), 2e-12 + (2 * Math.Abs(step)), $"a={a} b={b}");
            })
            .Check(Config.QuickThrowOnFailure.WithReplay(20260101UL, 3UL));
    }

    public sealed class Binomial
    {
        [Theory]
        [InlineData(0, 10, 0.3, 0.028247524900000004)]
        [InlineData(10, 10, 0.3, 5.9048999999999978e-6)]
        [InlineData(3, 10, 0.3, 0.266827932)]
        [InlineData(537000, 999999, 0.5378828, 0.00016718261397901072)]
        [InlineData(500, 1000, 0.5, 0.025225018178360802)]
        [InlineData(7, 14000000, 1e-6, 0.017391711205512087)]
        [InlineData(7000000, 14000000, 0.5, 0.00021324361481500135)]
        public void Probabilities_keep_their_digits_at_large_n(long k, long n, double p, double expected) =>
            Near.Relative(expected, BinomialDistribution.Pmf(k, n, p), 1e-13);

        [Theory]
        [InlineData(5, 10, 0.3, 0.1502683326)]
        [InlineData(530, 1000, 0.5, 0.03101159754918159)]
        [InlineData(620, 1000, 0.5, 1.5516229541713331e-14)]
        [InlineData(538500, 999999, 0.53788284273999, 0.10786493701550976)]
        [InlineData(7007000, 14000000, 0.5, 9.150248621394369e-5)]
        [InlineData(2, 5, 0.9, 0.99954)]
        public void Tails_are_accurate(long k, long n, double p, double upper)
        {
            Near.Relative(upper, BinomialDistribution.UpperTail(k, n, p), 1e-12);
            Near.Relative(1 - upper, BinomialDistribution.LowerTail(k - 1, n, p), 1e-12);
        }

        [Fact]
        public void Tails_at_the_ends_are_exact()
        {
            Assert.Equal(1, BinomialDistribution.UpperTail(0, 5, 0.2));
            Assert.Equal(0, BinomialDistribution.UpperTail(6, 5, 0.2));
            Assert.Equal(0, BinomialDistribution.LowerTail(-1, 5, 0.2));
            Assert.Equal(double.NegativeInfinity, BinomialDistribution.LogPmf(6, 5, 0.2));
        }
    }
}

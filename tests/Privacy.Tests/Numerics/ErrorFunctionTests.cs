using Federated.Privacy.Numerics;

namespace Federated.Privacy.Tests.Numerics;

/// <summary>Golden values: mpmath 1.3, 50 digits.</summary>
public static class ErrorFunctionTests
{
    public sealed class Erfc
    {
        [Theory]
        [InlineData(-5, 1.9999999999984625, 144009798674.66104)]
        [InlineData(-2.5, 1.999593047982555, 1035.8148429726229)]
        [InlineData(-0.7, 1.6778011938374184, 2.7387021025613168)]
        [InlineData(-0.3, 1.3286267594591274, 1.4537492328427656)]
        [InlineData(-1e-9, 1.0000000011283792, 1.0000000011283792)]
        [InlineData(0, 1.0, 1.0)]
        [InlineData(1e-9, 0.99999999887162083, 0.99999999887162083)]
        [InlineData(0.1, 0.8875370839817151, 0.89645697996912664)]
        [InlineData(0.46875, 0.50738652678206201, 0.63206968924955608)]
        [InlineData(0.5, 0.47950012218695346, 0.61569034419292587)]
        [InlineData(0.9, 0.20309178757716786, 0.45653165132311703)]
        [InlineData(1.7, 0.016209541409225439, 0.29166329707534347)]
        [InlineData(3.3, 3.0577097964381652e-6, 0.16400729757293263)]
        [InlineData(4, 1.5417257900280019e-8, 0.13699945762506139)]
        [InlineData(4.01, 1.4196939421371051e-8, 0.13667636742994915)]
        [InlineData(6.5, 3.8421483271206475e-20, 0.085805670104894602)]
        [InlineData(10, 2.0884875837625448e-45, 0.056140992743822586)]
        [InlineData(20, 5.3958656116079009e-176, 0.028174348741051319)]
        [InlineData(26, 5.6631924088561428e-296, 0.021683584850562907)]
        public void Has_full_double_accuracy(double x, double erfc, double scaled)
        {
            Near.Relative(erfc, ErrorFunction.Erfc(x), 2e-15, $"erfc({x})");
            Near.Relative(scaled, ErrorFunction.ScaledErfc(x), 2e-15, $"erfcx({x})");
        }

        [Fact]
        public void Reaches_its_limits()
        {
            Assert.Equal(0, ErrorFunction.Erfc(double.PositiveInfinity));
            Assert.Equal(2, ErrorFunction.Erfc(double.NegativeInfinity));
            Assert.True(double.IsNaN(ErrorFunction.Erfc(double.NaN)));
        }
    }

    public sealed class Erf
    {
        [Fact]
        public void Is_linear_near_zero_to_the_last_digit() => Near.Relative(1.1283791670955126e-20, ErrorFunction.Erf(1e-20), 1e-15);

        [Fact]
        public void Is_odd() => Assert.Equal(-ErrorFunction.Erf(1.3), ErrorFunction.Erf(-1.3));
    }

    public sealed class LogErfc
    {
        [Theory]
        [InlineData(-2.5, 0.6929436838471712)]
        [InlineData(-1e-9, 1.1283791664588929e-9)]
        [InlineData(0.1, -0.11930497373739561)]
        [InlineData(1.7, -4.1221552342439039)]
        [InlineData(30, -903.97411711064388)]
        [InlineData(100, -10005.177585122664)]
        [InlineData(1e4, -100000009.78270532)]
        public void Stays_finite_where_erfc_vanishes(double x, double expected) =>
            Near.Relative(expected, ErrorFunction.LogErfc(x), 4e-15, $"ln erfc({x})");
    }
}

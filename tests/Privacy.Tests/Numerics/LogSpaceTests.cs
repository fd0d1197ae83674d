using Federated.Privacy.Numerics;

namespace Federated.Privacy.Tests.Numerics;

public static class LogSpaceTests
{
    public sealed class Elementary
    {
        /// <summary>mpmath: e^x − 1 and ln(1 + x). The base library's ExpM1 and LogP1 fail this by eight digits.</summary>
        [Theory]
        [InlineData(1e-10, 1.00000000005e-10, 9.9999999995e-11)]
        [InlineData(-1e-5, -9.999950000166666e-6, -1.0000050000333336e-5)]
        [InlineData(0.3, 0.34985880757600310, 0.26236426446749105)]
        [InlineData(-0.45, -0.36237184837822670, -0.59783700075562045)]
        public void Functions_keep_their_digits_near_zero(double x, double expM1, double log1P)
        {
            Near.Relative(expM1, LogSpace.ExpM1(x), 1e-15);
            Near.Relative(log1P, LogSpace.Log1P(x), 1e-15);
        }
    }

    public sealed class Sums
    {
        [Fact]
        public void Do_not_overflow()
        {
            Near.Relative(10000 + Math.Log(2), LogSpace.Add(10000, 10000), 1e-15);
            Near.Relative(10000 + Math.Log(3), LogSpace.Sum([10000, 10000, 10000]), 1e-15);
            Assert.Equal(double.NegativeInfinity, LogSpace.Sum([]));
            Assert.Equal(-3, LogSpace.Add(double.NegativeInfinity, -3));
        }

        [Fact]
        public void Differences_keep_their_digits()
        {
            Near.Relative(Math.Log(1e-9), LogSpace.Subtract(LogSpace.Log1P(1e-9), 0), 1e-7);
            Near.Relative(Math.Log(1e-12), LogSpace.LogExpM1(1e-12), 1e-12);
            Near.Relative(-1e-20, LogSpace.LogOneMinusExp(-20 * Math.Log(10)), 1e-12);
            Assert.Equal(double.NegativeInfinity, LogSpace.Subtract(5, 5));
            Assert.Throws<ArgumentOutOfRangeException>(() => LogSpace.Subtract(1, 2));
        }
    }
}

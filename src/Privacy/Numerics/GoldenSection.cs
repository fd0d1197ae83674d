namespace Federated.Privacy.Numerics;

/// <summary>Minimisation of a function with one valley by golden-section search on the logarithm of its argument.</summary>
internal static class GoldenSection
{
    private const double Ratio = 0.6180339887498949;

    /// <summary>The argument in [low, high] with the smallest value found.</summary>
    public static double MinimizeLog(double low, double high, Func<double, double> f) => Search(low, high, f).Argument;

    /// <summary>The smallest value found in [low, high].</summary>
    public static double MinimizeLogValue(double low, double high, Func<double, double> f) => Search(low, high, f).Value;

    private static (double Argument, double Value) Search(double low, double high, Func<double, double> f)
    {
        var (a, b) = (Math.Log(low), Math.Log(high));
        var (c, d) = (b - Ratio * (b - a), a + Ratio * (b - a));
        var (fc, fd) = (f(Math.Exp(c)), f(Math.Exp(d)));
        // Twenty-two steps take the width to e^±2·10⁻⁴; near the minimum the value is flat to second order.
        for (var i = 0; i < 22; i++)
        {
            // A NaN comes from an overflow at the upper end and is treated as large.
            if (fc < fd || double.IsNaN(fd))
            {
                (b, d, fd) = (d, c, fc);
                c = b - Ratio * (b - a);
                fc = f(Math.Exp(c));
            }
            else
            {
                (a, c, fc) = (c, d, fd);
                d = a + Ratio * (b - a);
                fd = f(Math.Exp(d));
            }
        }

        return fc < fd ? (Math.Exp(c), fc) : (Math.Exp(d), fd);
    }
}

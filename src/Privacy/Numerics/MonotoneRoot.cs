namespace Federated.Privacy.Numerics;

/// <summary>Roots of decreasing positive functions that fall over many orders of magnitude, such as δ(ε).</summary>
internal static class MonotoneRoot
{
    /// <summary>
    /// The smallest x in [low, high] with f(x) ≤ target, to a relative precision; f(low) is above the target and f(high) at most it. The
    /// value returned satisfies f(x) ≤ target.
    /// </summary>
    /// <remarks>The Illinois variant of false position on ln f − ln target, with a bisection whenever the bracket halves too slowly.</remarks>
    public static double SmallestAtMost(Func<double, double> f, double target, double low, double high, double relativePrecision)
    {
        var logTarget = Math.Log(target);
        double Value(double x) => Math.Clamp(Math.Log(Math.Max(f(x), 0)), -800, 800) - logTarget;
        var (atLow, atHigh) = (Value(low), Value(high));
        var side = 0;
        for (var step = 0; step < 200 && high - low > relativePrecision * high; step++)
        {
            var x = step % 6 == 5 ? 0.5 * (low + high) : high - atHigh * (high - low) / (atHigh - atLow);
            // Keep off the ends by less than the precision asked for, or the last step would be taken forever.
            var margin = 0.25 * relativePrecision * high;
            x = Math.Clamp(x, low + Math.Min(margin, 0.5 * (high - low)), high - Math.Min(margin, 0.5 * (high - low)));
            var value = Value(x);
            if (value > 0)
            {
                (low, atLow) = (x, value);
                atHigh = side == 1 ? 0.5 * atHigh : atHigh;
                side = 1;
            }
            else
            {
                (high, atHigh) = (x, value);
                atLow = side == -1 ? 0.5 * atLow : atLow;
                side = -1;
            }
        }

        return high;
    }
}

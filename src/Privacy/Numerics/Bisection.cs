namespace Federated.Privacy.Numerics;

/// <summary>Bisection on a monotone condition, ending on the side where the condition holds.</summary>
internal static class Bisection
{
    /// <summary>
    /// The smallest point of [low, high] where a condition that is false below and true above some threshold holds, to the given
    /// relative precision. The value returned satisfies the condition, which is what makes a calibrated bound an upper bound.
    /// </summary>
    /// <param name="low">Start of the interval; the condition may hold here already, then this is returned.</param>
    /// <param name="high">End of the interval; the condition holds here.</param>
    /// <param name="holds">The condition.</param>
    /// <param name="relativePrecision">Width of the last interval over its upper end.</param>
    public static double SmallestWhere(double low, double high, Func<double, bool> holds, double relativePrecision = 1e-15)
    {
        while (high - low > relativePrecision * Math.Abs(high) && high - low > double.Epsilon)
        {
            var middle = low + 0.5 * (high - low);
            if (middle <= low || middle >= high)
            {
                break;
            }

            if (holds(middle))
            {
                high = middle;
            }
            else
            {
                low = middle;
            }
        }

        return high;
    }
}

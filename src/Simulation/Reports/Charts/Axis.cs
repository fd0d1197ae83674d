namespace Federated.Simulation.Reports.Charts;

/// <summary>A linear axis whose ends and ticks are round numbers.</summary>
/// <param name="Start">Value at the first pixel.</param>
/// <param name="End">Value at the last pixel; above <paramref name="Start"/>.</param>
public sealed record Axis(double Start, double End, IReadOnlyList<double> Ticks)
{
    private static readonly double[] TimeSteps =
    [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000, 864000,
    ];

    /// <summary>Covers the values with about <paramref name="ticks"/> steps of 1, 2 or 5 × 10ᵏ.</summary>
    /// <param name="round">Whether the ends move out to ticks; else they stay at the values.</param>
    public static Axis Covering(double low, double high, int ticks = 5, bool round = true)
    {
        if (!double.IsFinite(low) || !double.IsFinite(high))
        {
            (low, high) = (0, 1);
        }

        if (high <= low)
        {
            var room = low == 0 ? 1 : Math.Abs(low) * 0.1;
            (low, high) = (low - (low == 0 ? 0 : room), low + room);
        }

        return Ticked(low, high, DecimalStep((high - low) / ticks), round);
    }

    /// <summary>As <see cref="Covering"/>, for seconds: steps are what clocks and calendars count in. The ends stay at the values.</summary>
    public static Axis CoveringTime(double low, double high, int ticks = 5)
    {
        if (!double.IsFinite(low) || !double.IsFinite(high) || high <= low)
        {
            return Covering(low, high, ticks, round: false);
        }

        var raw = (high - low) / ticks;
        var step = raw < 1 ? DecimalStep(raw) : TimeSteps.FirstOrDefault(s => s >= raw);
        return Ticked(low, high, step > 0 ? step : DecimalStep(raw / 86400) * 86400, round: false);
    }

    /// <summary>Share of the axis at which <paramref name="value"/> stands: 0 at the start, 1 at the end.</summary>
    public double At(double value) => (value - Start) / (End - Start);

    private static double DecimalStep(double raw)
    {
        var magnitude = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        return (raw / magnitude) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 } * magnitude;
    }

    private static Axis Ticked(double low, double high, double step, bool round)
    {
        var first = Math.Floor((low / step) + 1e-9);
        var last = Math.Ceiling((high / step) - 1e-9);
        if (!round)
        {
            (first, last) = (Math.Ceiling((low / step) - 1e-9), Math.Floor((high / step) + 1e-9));
        }

        var marks = new List<double>();
        for (var i = first; i <= last; i++)
        {
            marks.Add((i * step) + 0.0); // No negative zero.
        }

        return round ? new Axis(first * step, last * step, marks) : new Axis(low, high, marks);
    }
}

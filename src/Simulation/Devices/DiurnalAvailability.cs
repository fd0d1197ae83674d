using System.ComponentModel.DataAnnotations;
using Federated.Aggregation.Randomness;

namespace Federated.Simulation.Devices;

/// <summary>
/// Every client is online once a day, around an hour of its own: phones that train while they charge at night. The hours of the clients
/// are spread around a common peak, so that the population has its daily tide; each day adds its own jitter.
/// </summary>
/// <remarks>
/// The window of client c on day j is centred on 24 h·j + peak + spread·N_c + jitter·N_{c,j} (standard normals, independent).
/// Should two of a client's windows overlap, it stays online through both.
/// </remarks>
public sealed record DiurnalAvailability : AvailabilityOptions
{
    private const double Hour = 3600;
    private const double Day = 24 * Hour;

    /// <summary>The hour of the day around which most clients are online; hour 0 is the start of the run.</summary>
    /// <value>The default is 2. Must be in [0, 24).</value>
    [Range(0.0, 24.0, MaximumIsExclusive = true)]
    public double PeakHour { get; init; } = 2;

    /// <summary>Standard deviation over clients of their own hour, in hours.</summary>
    /// <value>The default is 3. Must be in [0, 24].</value>
    [Range(0.0, 24.0)]
    public double SpreadHours { get; init; } = 3;

    /// <summary>Standard deviation from day to day, in hours.</summary>
    /// <value>The default is 0.5. Must be in [0, 2]: a client's days stay in their order.</value>
    [Range(0.0, 2.0)]
    public double JitterHours { get; init; } = 0.5;

    /// <summary>Hours online per day.</summary>
    /// <value>The default is 8. Must be in (0, 24].</value>
    [Range(0.0, 24.0, MinimumIsExclusive = true)]
    public double OnlineHours { get; init; } = 8;

    internal override OnlineWindow WindowAfter(ulong seed, int client, int clients, double time)
    {
        var random = SeededRandom.Derive(seed, "hour", client);
        var centre = (PeakHour + (SpreadHours * random.NextNormal())) * Hour;

        // Jitter beyond eight deviations does not occur (the Box–Muller normal of 53-bit uniforms ends at 8.6): starting this many days
        // early misses no window that is still open.
        var reach = (OnlineHours * 0.5 * Hour) + (8.6 * JitterHours * Hour);
        var day = (long)Math.Floor((time - centre - reach) / Day);
        while (true)
        {
            var window = Of(seed, client, centre, day);
            if (window.End > time)
            {
                // Days that overlap are one window.
                for (var next = Of(seed, client, centre, ++day); next.Start <= window.End; next = Of(seed, client, centre, ++day))
                {
                    window = new OnlineWindow(Math.Min(window.Start, next.Start), Math.Max(window.End, next.End));
                    if (window.End > time + (400 * Day))
                    {
                        return window; // Online without a break; the caller asks again in a year.
                    }
                }

                return window;
            }

            day++;
        }
    }

    private OnlineWindow Of(ulong seed, int client, double centre, long day)
    {
        var jitter = JitterHours == 0 ? 0 : JitterHours * Hour * SeededRandom.Derive(seed, "day", client, day).NextNormal();
        var start = (day * Day) + centre + jitter - (OnlineHours * 0.5 * Hour);
        return new OnlineWindow(start, start + (OnlineHours * Hour));
    }
}

using System.ComponentModel.DataAnnotations;
using Federated.Aggregation.Randomness;

namespace Federated.Simulation.Devices;

/// <summary>
/// Clients come as a Poisson process and wait for a fixed time: the arrival model of FLSim. The rate is the population's; each client's
/// own arrivals are a Poisson process of rate/clients, so that their superposition has the rate asked.
/// </summary>
/// <remarks>
/// The process is drawn per cell of one mean interval (a Poisson(1) number of arrivals, placed uniformly), which is the same process and a
/// pure function of the time. Arrivals closer than <see cref="StaySeconds"/> are one stay.
/// A scheduler without limit then has rate × mean task time clients in flight (Little's law).
/// </remarks>
public sealed record PoissonAvailability : AvailabilityOptions
{
    /// <summary>Arrivals per second over the whole population.</summary>
    /// <value>The default is 1. Must be above 0.</value>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double ArrivalsPerSecond { get; init; } = 1;

    /// <summary>Seconds that an arrived client waits for work before it leaves.</summary>
    /// <value>The default is 60. Must be above 0.</value>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double StaySeconds { get; init; } = 60;

    internal override OnlineWindow WindowAfter(ulong seed, int client, int clients, double time)
    {
        var interval = clients / ArrivalsPerSecond;

        // Chains of overlapping stays reach back without bound in principle; starting from a whole cell before the oldest stay that can
        // still be open keeps the function pure, and a chain's start before it does not matter to the caller.
        var cell = (long)Math.Floor((time - StaySeconds) / interval);
        var window = new OnlineWindow(double.NaN, double.NegativeInfinity);
        Span<double> arrivals = stackalloc double[32];
        while (true)
        {
            var count = Arrivals(seed, client, cell, interval, arrivals);
            foreach (var arrival in arrivals[..count])
            {
                if (arrival > window.End && window.End > time)
                {
                    return window;
                }

                window = arrival > window.End
                    ? new OnlineWindow(arrival, arrival + StaySeconds)
                    : window with { End = arrival + StaySeconds };
            }

            cell++;
            if (window.End > time && (cell * interval > window.End || window.End > time + (100 * StaySeconds)))
            {
                return window; // A stay without a foreseeable end is told in pieces; the caller asks again at its end.
            }
        }
    }

    /// <summary>The arrivals of one cell, ascending. Poisson(1) by Knuth's product of uniforms; more than 31 has probability below 10⁻³⁴.</summary>
    private static int Arrivals(ulong seed, int client, long cell, double interval, Span<double> arrivals)
    {
        if (cell < 0)
        {
            return 0;
        }

        var random = SeededRandom.Derive(seed, "arrivals", client, cell);
        var count = -1;
        for (var product = 1.0; product > 1 / Math.E && count < arrivals.Length - 1; count++)
        {
            product *= random.NextPositive();
        }

        for (var i = 0; i < count; i++)
        {
            arrivals[i] = (cell + random.NextDouble()) * interval;
        }

        arrivals[..count].Sort();
        return count;
    }
}

using System.ComponentModel.DataAnnotations;
using Federated.Aggregation.Randomness;

namespace Federated.Simulation.Devices;

/// <summary>Every client is online for a fixed share of a fixed period, each with its own phase, drawn uniformly.</summary>
public sealed record DutyCycleAvailability : AvailabilityOptions
{
    /// <summary>Seconds from one coming online to the next.</summary>
    /// <value>The default is 3600. Must be above 0.</value>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double PeriodSeconds { get; init; } = 3600;

    /// <summary>Share of the period that a client is online.</summary>
    /// <value>The default is 0.5. Must be in (0, 1].</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double OnlineShare { get; init; } = 0.5;

    /// <summary>Whether all clients come online together, at multiples of the period, instead of each at its own phase.</summary>
    /// <value>The default is false.</value>
    public bool Together { get; init; }

    internal override OnlineWindow WindowAfter(ulong seed, int client, int clients, double time)
    {
        if (OnlineShare >= 1)
        {
            return OnlineWindow.Always;
        }

        var phase = Together ? 0 : SeededRandom.Derive(seed, "phase", client).NextDouble() * PeriodSeconds;
        var length = OnlineShare * PeriodSeconds;

        // One period early, then forward: rounding of the quotient must not skip the window that is open now.
        for (var cycle = Math.Floor((time - phase) / PeriodSeconds) - 1; ; cycle++)
        {
            var start = phase + (cycle * PeriodSeconds);
            if (start + length > time)
            {
                return new OnlineWindow(start, start + length);
            }
        }
    }
}

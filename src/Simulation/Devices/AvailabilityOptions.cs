using System.Text.Json.Serialization;

namespace Federated.Simulation.Devices;

/// <summary>
/// When clients are online: the first of the four knobs of client heterogeneity. Windows are pure functions of (seed, client, time), so
/// that a client costs no memory and nothing depends on what was asked before.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(AlwaysAvailable), "always")]
[JsonDerivedType(typeof(DutyCycleAvailability), "duty-cycle")]
[JsonDerivedType(typeof(DiurnalAvailability), "diurnal")]
[JsonDerivedType(typeof(PoissonAvailability), "poisson")]
public abstract record AvailabilityOptions
{
    /// <summary>What becomes of work in hand when a client's window ends.</summary>
    /// <value>The default is <see cref="Leaving.Finish"/>.</value>
    public Leaving WhenLeaving { get; init; }

    /// <summary>The first window that ends after <paramref name="time"/>; it has begun already when its start is not after it.</summary>
    /// <param name="seed">Of this knob.</param>
    /// <param name="client">The client's number, of <paramref name="clients"/>.</param>
    /// <param name="time">Seconds of virtual time.</param>
    internal abstract OnlineWindow WindowAfter(ulong seed, int client, int clients, double time);
}

/// <summary>What becomes of work in hand when a client goes offline.</summary>
public enum Leaving
{
    /// <summary>The client stays until its update is sent.</summary>
    Finish,

    /// <summary>The client gives the work up and says so.</summary>
    Fail,

    /// <summary>The client vanishes without a word; only a timeout ends the wait.</summary>
    Vanish,
}

/// <summary>A stretch of virtual time, in seconds, in which a client is online: [start, end).</summary>
internal readonly record struct OnlineWindow(double Start, double End)
{
    public static OnlineWindow Always => new(double.NegativeInfinity, double.PositiveInfinity);
}

/// <summary>Every client is always online.</summary>
public sealed record AlwaysAvailable : AvailabilityOptions
{
    internal override OnlineWindow WindowAfter(ulong seed, int client, int clients, double time) => OnlineWindow.Always;
}

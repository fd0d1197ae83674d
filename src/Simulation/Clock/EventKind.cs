namespace Federated.Simulation.Clock;

/// <summary>
/// What happens at an instant of virtual time. The order matters: at equal times everything that clients do comes before every timer.
/// </summary>
public enum EventKind : byte
{
    /// <summary>A client comes online.</summary>
    Online,

    /// <summary>A waiting client goes offline.</summary>
    Offline,

    /// <summary>A client's update arrives.</summary>
    Arrival,

    /// <summary>A client gives its task up.</summary>
    Failure,

    /// <summary>A client leaves for good.</summary>
    Departure,

    /// <summary>A deadline that the run machine armed passes. The first of the timers.</summary>
    Deadline,
}

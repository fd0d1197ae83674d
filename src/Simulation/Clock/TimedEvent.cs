using Federated.Coordinator.Runs;

namespace Federated.Simulation.Clock;

/// <summary>One entry of the event queue: 32 B, no reference, so that a million of them are cheap and the collector never looks at them.</summary>
public readonly struct TimedEvent
{
    private const int SequenceBits = 56;

    internal TimedEvent(double time, EventKind kind, ulong sequence, int client, long number, DeadlineKind deadline)
    {
        (Time, Client, Number, Kind, DeadlineKind) = (time, client, number, kind, deadline);
        Order = ((kind >= EventKind.Deadline ? 1UL : 0UL) << SequenceBits) | sequence;
    }

    /// <summary>Seconds of virtual time.</summary>
    public double Time { get; }

    /// <summary>Order among events of the same time: clients before timers, then first posted first.</summary>
    public ulong Order { get; }

    /// <summary>Assignment id, deadline number, or the client's task count; as <see cref="Kind"/> wants.</summary>
    public long Number { get; }

    /// <summary>The client; −1 for a timer.</summary>
    public int Client { get; }

    public EventKind Kind { get; }

    /// <summary>Of a <see cref="EventKind.Deadline"/>.</summary>
    public DeadlineKind DeadlineKind { get; }

    internal bool IsBefore(in TimedEvent other) => Time < other.Time || (Time == other.Time && Order < other.Order);
}

namespace Federated.Simulation.Engine;

/// <summary>What the simulator keeps per client: 12 B, so that a million of them are cheap.</summary>
internal struct ClientState
{
    public const int None = -1;

    /// <summary>Slot of the task in hand, or <see cref="None"/>.</summary>
    public int Slot;

    /// <summary>Tasks started: the number of the next one, which its draws are derived from.</summary>
    public int Tasks;

    public ClientActivity Activity;
}

internal enum ClientActivity : byte
{
    Offline,

    /// <summary>Checked in, without work.</summary>
    Waiting,

    /// <summary>Has a task, and its end is in the event queue (unless it vanished).</summary>
    Working,

    /// <summary>Left for good.</summary>
    Gone,
}

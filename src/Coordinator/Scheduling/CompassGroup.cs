using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>Clients that are meant to arrive together.</summary>
internal sealed class CompassGroup(long number)
{
    /// <summary>Order of creation; also the number of its deadline.</summary>
    public long Number { get; } = number;

    /// <summary>Members still training.</summary>
    public SortedSet<ClientId> Out { get; } = [];

    /// <summary>Members whose updates are in, and who wait for the group to close.</summary>
    public SortedSet<ClientId> Arrived { get; } = [];

    /// <summary>Updates of the arrived members, in order of arrival.</summary>
    public List<ArrivedUpdate> Updates { get; } = [];

    /// <summary>Seconds on the run's clock when all should arrive; 0 once the group has closed.</summary>
    public double Expected { get; set; }

    /// <summary>Seconds on the run's clock until which it waits; 0 once it has closed, so that whoever is still out is late.</summary>
    public double Latest { get; set; }

    /// <summary>When it was opened; NaN for one that was open before a restart. For watchers only.</summary>
    public double Opened { get; init; } = double.NaN;

    /// <summary>Everybody who was in it, late ones included. For watchers only.</summary>
    public SortedSet<ClientId> Everybody { get; } = [];

    public IEnumerable<ClientId> Members => Out.Concat(Arrived);

    public bool IsEmpty => Out.Count == 0 && Arrived.Count == 0;
}

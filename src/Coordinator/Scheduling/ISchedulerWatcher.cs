using Federated.Protocol;

namespace Federated.Coordinator.Scheduling;

/// <summary>Is told of the groups that a scheduler forms, for people to see. What a watcher does cannot change the run.</summary>
public interface ISchedulerWatcher
{
    /// <summary>A group was opened, gained or lost a member, or was closed.</summary>
    void OnGroup(GroupFact group);
}

/// <summary>A scheduler that can be watched. The watcher is no part of its state: it is set anew after a restart.</summary>
public interface IWatchableScheduler
{
    /// <summary>Null for nobody.</summary>
    ISchedulerWatcher? Watcher { get; set; }
}

/// <summary>Clients that a scheduler expects together. Times are seconds on the run's clock.</summary>
/// <param name="Number">Of the group in its run, in the order of opening.</param>
/// <param name="Opened">NaN for a group that was open before a restart.</param>
/// <param name="Expected">When all should have arrived; NaN where nothing is expected.</param>
/// <param name="Latest">Until when they are waited for; +∞ for no limit.</param>
/// <param name="Closed">When they were merged, or given up; NaN while the group is open.</param>
/// <param name="Members">Everybody who was in it so far.</param>
/// <param name="Arrived">How many of them are in.</param>
/// <param name="Version">The version that they became; 0 while the group is open, or when nobody came.</param>
public sealed record GroupFact(
    long Number, double Opened, double Expected, double Latest, double Closed, IReadOnlyList<ClientId> Members, int Arrived, int Version);

namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>What does not change while a run is watched: who it is and what it was asked to do.</summary>
public sealed record RunHeader
{
    /// <summary>Its name in addresses: letters, digits, <c>-</c>, <c>_</c> and <c>.</c>.</summary>
    public required string Id { get; init; }

    /// <summary>What people call it.</summary>
    public required string Name { get; init; }

    /// <summary>Scheduler × aggregator × server optimizer × objective, by name.</summary>
    public required string Strategy { get; init; }

    /// <summary>The scheduler's name, one of <see cref="Scheduling.Schedulers"/>; empty when nobody knows any more.</summary>
    public string Scheduler { get; init; } = "";

    public required FeedSource Source { get; init; }

    /// <summary>Clients known at the start.</summary>
    public int Clients { get; init; }

    public ulong Seed { get; init; }

    /// <summary>Updates per published version, K; 0 where the scheduler has no such number.</summary>
    public int AggregationGoal { get; init; }

    /// <summary>Clients in flight at the same time, or the cohort of a round; 0 where the scheduler has no such number.</summary>
    public int Concurrency { get; init; }

    /// <summary>Largest staleness τ that is accepted; −1 for no bound.</summary>
    public int MaxStaleness { get; init; } = -1;

    /// <summary>Version at which the run stops; 0 for no such limit.</summary>
    public int StopVersions { get; init; }

    /// <summary>Accepted updates at which the run stops; 0 for no such limit.</summary>
    public long StopUpdates { get; init; }

    /// <summary>Seconds on the run's clock at which it stops; 0 for no such limit.</summary>
    public double StopSeconds { get; init; }

    /// <summary>Accuracy at which the run stops; 0 for no target.</summary>
    public double TargetAccuracy { get; init; }

    /// <summary>ℓ2 bound of each update; NaN in a run that does not clip.</summary>
    public double Clip { get; init; } = double.NaN;

    /// <summary>ε that the run may spend; NaN without a budget.</summary>
    public double EpsilonBudget { get; init; } = double.NaN;

    /// <summary>The resolved configuration as YAML, for people to read.</summary>
    public string Configuration { get; init; } = "";

    /// <summary>What people call the clients, in the order of their numbers; empty when they have only numbers.</summary>
    public IReadOnlyList<string> ClientNames { get; init; } = [];
}

/// <summary>Where a feed comes from; decides what its clock means and what can be asked of it.</summary>
public enum FeedSource
{
    /// <summary>A simulation in this process: the clock is virtual.</summary>
    Simulation,

    /// <summary>A results folder.</summary>
    Folder,

    /// <summary>A run that a coordinator hosts: the clock is real.</summary>
    Live,
}

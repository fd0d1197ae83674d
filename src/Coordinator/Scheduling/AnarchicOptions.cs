using System.ComponentModel.DataAnnotations;

namespace Federated.Coordinator.Scheduling;

/// <summary>Anarchic participation: clients come when they like and do as many local steps as they like.</summary>
public sealed record AnarchicOptions : SchedulerOptions
{
    /// <summary>Updates per published version, m.</summary>
    /// <value>The default is 1. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int AggregationGoal { get; init; } = 1;

    /// <summary>Different clients that must have sent an update before the first version: all of them for AFA-CS as published.</summary>
    /// <value>The default is 0: the first version is made like every other. Must be 0 or more.</value>
    [Range(0, int.MaxValue)]
    public int InitialClients { get; init; }
}

using System.ComponentModel.DataAnnotations;

namespace Federated.Coordinator.Scheduling;

/// <summary>Anarchic participation: clients come when they like and do as many local steps as they like.</summary>
public sealed record AnarchicOptions : SchedulerOptions
{
    /// <summary>Updates per published version, m.</summary>
    /// <value>The default is 1. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int AggregationGoal { get; init; } = 1;
}

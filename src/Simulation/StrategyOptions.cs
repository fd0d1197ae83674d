using System.ComponentModel.DataAnnotations;
using Federated.Aggregation;
using Federated.Aggregation.Averaging;
using Federated.Coordinator.Scheduling;
using Federated.Training.LocalObjectives;

namespace Federated.Simulation;

/// <summary>Scheduler × aggregator × server optimizer × local objective: the <c>strategy</c> section of an experiment.</summary>
public sealed record StrategyOptions
{
    /// <summary>Who trains, from which version, and when a version is published.</summary>
    /// <value>The default is <c>synchronous</c>.</value>
    [Required]
    public SchedulerOptions Scheduler { get; init; } = new SynchronousOptions();

    /// <summary>How updates are combined into one pseudo-gradient.</summary>
    /// <value>The default is <c>mean</c>, divided by the sum of the weights.</value>
    [Required]
    public AggregatorOptions Aggregator { get; init; } = new WeightedMeanOptions();

    /// <summary>What clients minimise.</summary>
    /// <value>The default is <c>none</c>: the client's own loss.</value>
    [Required]
    public LocalObjectiveOptions Objective { get; init; } = new PlainObjectiveOptions();
}

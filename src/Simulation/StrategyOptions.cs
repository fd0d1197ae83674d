using System.ComponentModel.DataAnnotations;
using Federated.Aggregation;
using Federated.Aggregation.Averaging;
using Federated.Aggregation.Compression;
using Federated.Aggregation.ExampleWeights;
using Federated.Aggregation.ServerOptimizers;
using Federated.Aggregation.Staleness;
using Federated.Coordinator.Scheduling;
using Federated.Training.LocalObjectives;

namespace Federated.Simulation;

/// <summary>
/// Scheduler × weights × aggregator × server optimizer × local objective: the <c>strategy</c> section of an experiment. The defaults are
/// FedAvg.
/// </summary>
public sealed record StrategyOptions
{
    /// <summary>Who trains, from which version, and when a version is published.</summary>
    /// <value>The default is <c>synchronous</c>.</value>
    [Required]
    public SchedulerOptions Scheduler { get; init; } = new SynchronousOptions();

    /// <summary>ω(n): an update's weight by the number of its examples.</summary>
    /// <value>The default is <c>examples</c>, FedAvg's; FedBuff's is <c>equal</c>.</value>
    [Required]
    public ExampleWeight ExampleWeight { get; init; } = new LinearExampleWeight();

    /// <summary>s(τ): an update's weight by its staleness, on top of ω(n).</summary>
    /// <value>The default is <c>constant</c>; FedBuff's is <c>polynomial</c>.</value>
    [Required]
    public StalenessWeight StalenessWeight { get; init; } = new ConstantStaleness();

    /// <summary>
    /// Whether weights are corrected for how often each client takes part, so that fast clients do not tilt the objective: each weight
    /// averages to the client's share of all clients' ω(n).
    /// </summary>
    /// <value>The default is false.</value>
    public bool CorrectParticipation { get; init; }

    /// <summary>How much work an assignment asks for, where the scheduler leaves that open.</summary>
    /// <value>The default is <c>fixed</c>: what the training section says.</value>
    [Required]
    public StepPolicyOptions StepPolicy { get; init; } = new FixedWorkOptions();

    /// <summary>How updates are combined into one pseudo-gradient.</summary>
    /// <value>The default is <c>mean</c>, divided by the sum of the weights.</value>
    [Required]
    public AggregatorOptions Aggregator { get; init; } = new WeightedMeanOptions();

    /// <summary>How the pseudo-gradient becomes the next version.</summary>
    /// <value>The default is <c>sgd</c> with learning rate 1.</value>
    [Required]
    public ServerOptimizerOptions ServerOptimizer { get; init; } = new SgdOptions();

    /// <summary>What clients minimise.</summary>
    /// <value>The default is <c>none</c>: the client's own loss.</value>
    [Required]
    public LocalObjectiveOptions Objective { get; init; } = new PlainObjectiveOptions();

    /// <summary>How updates are encoded on their way up.</summary>
    /// <value>The default is <c>identity</c>: as they are.</value>
    [Required]
    public CompressionOptions Compression { get; init; } = new();
}

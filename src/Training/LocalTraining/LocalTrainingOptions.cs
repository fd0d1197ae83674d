using System.ComponentModel.DataAnnotations;
using Federated.Training.LocalObjectives;
using Federated.Training.Optimizers;

namespace Federated.Training.LocalTraining;

/// <summary>How a client trains. How long it trains is the assignment's business.</summary>
public sealed record LocalTrainingOptions
{
    /// <summary>B, the examples of a mini-batch. The last batch of an epoch holds what is left.</summary>
    /// <value>The default is 10. Must be 0 or more; 0 means all of the client's examples at once (B = ∞).</value>
    [Range(0, int.MaxValue)]
    public int BatchSize { get; init; } = 10;

    /// <summary>The optimizer that clients run.</summary>
    /// <value>The default is plain SGD.</value>
    [Required]
    public LocalOptimizerOptions Optimizer { get; init; } = new SgdOptions();

    /// <summary>How the learning rate falls over the run.</summary>
    /// <value>The default is constant.</value>
    [Required]
    public RateScheduleOptions Schedule { get; init; } = new ConstantRate();

    /// <summary>What clients minimise.</summary>
    /// <value>The default is none: the client's own loss.</value>
    [Required]
    public LocalObjectiveOptions Objective { get; init; } = new PlainObjectiveOptions();
}

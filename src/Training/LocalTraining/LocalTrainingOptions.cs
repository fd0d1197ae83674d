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

    /// <summary>Clipping of each example's gradient, and noise on their sum; only trainers with per-example gradients do it, others refuse.</summary>
    /// <value>The default is none.</value>
    public ExampleNoise? Noise { get; init; }
}

/// <summary>What DP-SGD does in every step.</summary>
/// <param name="ClipNorm">C, the largest L2 norm of one example's gradient.</param>
/// <param name="NoiseMultiplier">z: noise of standard deviation z·C on the sum.</param>
/// <param name="SamplingRate">q, each example's probability to take part in a step.</param>
/// <param name="IsSeeded">Whether coins and noise follow from the task's seed: for simulations, where it protects nobody.</param>
public sealed record ExampleNoise(double ClipNorm, double NoiseMultiplier, double SamplingRate, bool IsSeeded);

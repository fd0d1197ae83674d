using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Federated.Protocol;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Optimizers;

namespace Federated.Simulation;

/// <summary>What clients do with an assignment, and how much of it: the <c>training</c> section of an experiment.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(LocalTraining), "local")]
[JsonDerivedType(typeof(NoTraining), "none")]
public abstract record TrainingOptions
{
    /// <summary>E, passes over the client's examples per assignment; used when <see cref="Steps"/> is 0. Both 0 leave the effort to the clients.</summary>
    /// <value>The default is 1. Must be 0 or more.</value>
    [Range(0.0, double.MaxValue)]
    public double Epochs { get; init; } = 1;

    /// <summary>K, local steps per assignment, the same for every client; 0 to count in epochs.</summary>
    /// <value>The default is 0. Must be 0 or more.</value>
    [Range(0, int.MaxValue)]
    public int Steps { get; init; }

    /// <summary>B, examples per step; 0 for all of the client's examples.</summary>
    /// <value>The default is 10. Must be 0 or more.</value>
    [Range(0, int.MaxValue)]
    public int BatchSize { get; init; } = 10;

    /// <summary>The work of an assignment.</summary>
    internal LocalWork Work => Steps > 0 ? LocalWork.OfSteps(Steps) : Epochs > 0 ? LocalWork.OfEpochs(Epochs) : LocalWork.ClientsChoice;
}

/// <summary>Clients train on their own examples.</summary>
public sealed record LocalTraining : TrainingOptions
{
    /// <summary>The optimizer that clients run; its state begins afresh with every assignment.</summary>
    /// <value>The default is <c>sgd</c>.</value>
    [Required]
    public LocalOptimizerOptions Optimizer { get; init; } = new SgdOptions();

    /// <summary>How the learning rate falls over the run.</summary>
    /// <value>The default is <c>constant</c>.</value>
    [Required]
    public RateScheduleOptions Schedule { get; init; } = new ConstantRate();

    internal LocalTrainingOptions With(LocalObjectiveOptions objective) =>
        new() { BatchSize = BatchSize, Optimizer = Optimizer, Schedule = Schedule, Objective = objective };
}

/// <summary>Nothing is computed: the timeline alone, to study schedulers and clocks.</summary>
public sealed record NoTraining : TrainingOptions
{
    /// <summary>Examples of every client, where no data section tells them.</summary>
    /// <value>The default is 100. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int Examples { get; init; } = 100;

    /// <summary>Bytes of one model, for the time that transfers take.</summary>
    /// <value>The default is 0. Must be 0 or more.</value>
    [Range(0, long.MaxValue)]
    public long ModelBytes { get; init; }
}

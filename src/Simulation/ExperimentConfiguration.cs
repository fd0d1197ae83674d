using System.ComponentModel.DataAnnotations;
using Federated.Coordinator.Runs;
using Federated.Privacy.Analytics;
using Federated.Privacy.Pipeline;
using Federated.Simulation.Devices;
using Federated.Training.Data;
using Federated.Training.LocalTraining;
using Federated.Training.Models;

namespace Federated.Simulation;

/// <summary>
/// One experiment in full: what an experiment file says, with every default filled in. The same configuration and seed give the same
/// model, to the bit, whatever the number of threads.
/// </summary>
public sealed record ExperimentConfiguration
{
    /// <summary>What people call it; results carry it.</summary>
    /// <value>The default is <c>run</c>.</value>
    [Required, MinLength(1)]
    public string Name { get; init; } = "run";

    /// <summary>The seed of everything that is drawn: data, partition, initial model, devices, selection, mini-batches.</summary>
    /// <value>The default is 1.</value>
    public ulong Seed { get; init; } = 1;

    /// <summary>Worker threads; 0 for one per core. The results do not depend on it.</summary>
    /// <value>The default is 0. Must be 0 or more.</value>
    [Range(0, 1024)]
    public int Threads { get; init; }

    /// <summary>Of parameters and arithmetic.</summary>
    /// <value>The default is <see cref="NumberFormat.Float32"/>.</value>
    public NumberFormat Precision { get; init; }

    /// <summary>What is trained on, and how it is split over clients; only a run without training can do without.</summary>
    /// <value>The default is none.</value>
    public DataOptions? Data { get; init; }

    /// <summary>What one example looks like, for a coordinator that has no data of its own and so cannot see it from them.</summary>
    /// <value>The default is none: as the data are.</value>
    public InputOptions? Input { get; init; }

    /// <summary>The model; only a run without training can do without.</summary>
    /// <value>The default is none.</value>
    public ModelOptions? Model { get; init; }

    /// <summary>A question to ask clients instead of training a model: each answers once, by a randomised report. For served runs.</summary>
    /// <value>The default is none: a model is trained.</value>
    public AnalysisOptions? Analysis { get; init; }

    /// <summary>What computes the clients' training.</summary>
    /// <value>The default is <c>managed</c>.</value>
    [Required]
    public TrainerOptions Trainer { get; init; } = new ManagedTrainerOptions();

    /// <summary>What clients do with an assignment.</summary>
    /// <value>The default is <c>local</c>.</value>
    [Required]
    public TrainingOptions Training { get; init; } = new LocalTraining();

    /// <summary>Scheduler × aggregator × server optimizer × local objective.</summary>
    [Required]
    public StrategyOptions Strategy { get; init; } = new();

    /// <summary>Staleness bound, timeouts, evaluation, and when the run is over. Its seed is the experiment's.</summary>
    [Required]
    public RunOptions Run { get; init; } = new();

    /// <summary>The simulated clients.</summary>
    [Required]
    public ClientsOptions Clients { get; init; } = new();

    /// <summary>Who is protected against whom, by which mechanism, at what budget. The run's seed draws its noise, as everything in a simulation.</summary>
    /// <value>The default is <c>none</c>: nothing is guaranteed.</value>
    [Required]
    public PrivacyOptions Privacy { get; init; } = new NoPrivacyOptions();

    /// <summary>What to train for comparison, without federation, when the run is over.</summary>
    /// <value>The default is nothing. <c>local</c> and <c>pooled</c>.</value>
    [Required]
    public IReadOnlyList<Baseline> Baselines { get; init; } = [];
}

/// <summary>The shape of the data that clients have.</summary>
public sealed record InputOptions
{
    /// <summary>Shape of one example: [13] for 13 columns, [1, 28, 28] for grey images.</summary>
    [Required, MinLength(1)]
    public required IReadOnlyList<int> Shape { get; init; }

    /// <summary>Number of classes.</summary>
    /// <value>Must be 2 or more.</value>
    [Range(2, int.MaxValue)]
    public required int Classes { get; init; }
}

/// <summary>Number formats of parameters and arithmetic. Members are spelt <c>float32</c> and <c>float64</c> in configuration.</summary>
public enum NumberFormat
{
    /// <summary>For production.</summary>
    Float32,

    /// <summary>For checks against closed forms and golden values; about half as fast.</summary>
    Float64,
}

/// <summary>Training without federation, for comparison.</summary>
public enum Baseline
{
    /// <summary>Each client alone, on its own examples.</summary>
    Local,

    /// <summary>One model on everybody's examples together.</summary>
    Pooled,
}

using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Federated.Aggregation.Compression;
using Federated.Simulation.Configuration.Binding;
using Federated.Training.Data;
using Federated.Training.LocalObjectives;
using Federated.Training.LocalTraining;
using Federated.Training.Models;
using Federated.Training.Optimizers;

namespace Federated.Simulation.Serving;

/// <summary>
/// The run's local training plan: the <c>training</c> member of an assignment. Everything about a client's work that is the same for every
/// assignment of the run; docs/protocol.md describes it for clients in other languages.
/// </summary>
public sealed record ClientPlan
{
    /// <summary>Of parameters and arithmetic.</summary>
    /// <value>The default is <see cref="NumberFormat.Float32"/>.</value>
    public NumberFormat Precision { get; init; }

    /// <summary>The model.</summary>
    [Required]
    public required ModelOptions Model { get; init; }

    /// <summary>Shape of one example, as the model expects it: 1×28×28, or 13 columns.</summary>
    [Required, MinLength(1)]
    public required IReadOnlyList<int> ExampleShape { get; init; }

    /// <summary>Number of classes.</summary>
    [Range(2, int.MaxValue)]
    public required int Classes { get; init; }

    /// <summary>B, examples per step; 0 for all of the client's examples.</summary>
    /// <value>The default is 10. Must be 0 or more.</value>
    [Range(0, int.MaxValue)]
    public int BatchSize { get; init; } = 10;

    /// <summary>The optimizer that clients run; its learning rate is multiplied by the assignment's <c>rateFactor</c>.</summary>
    /// <value>The default is <c>sgd</c>.</value>
    [Required]
    public LocalOptimizerOptions Optimizer { get; init; } = new SgdOptions();

    /// <summary>What clients minimise.</summary>
    /// <value>The default is <c>none</c>: the client's own loss.</value>
    [Required]
    public LocalObjectiveOptions Objective { get; init; } = new PlainObjectiveOptions();

    /// <summary>How updates are encoded on their way up.</summary>
    /// <value>The default is <c>identity</c>: as they are.</value>
    [Required]
    public CompressionOptions Compression { get; init; } = new();

    /// <summary>The experiment's data section, for clients that play the part of one of its shards; null when data are the clients' own.</summary>
    /// <value>The default is none.</value>
    public DataOptions? Data { get; init; }

    /// <summary>The run's seed, with which that section draws data and partition.</summary>
    /// <value>The default is 1.</value>
    public ulong Seed { get; init; } = 1;

    /// <summary>What the trainer needs of it; the schedule is the coordinator's, which sends its factor with each assignment.</summary>
    public LocalTrainingOptions Training => new() { BatchSize = BatchSize, Optimizer = Optimizer, Objective = Objective };

    public JsonElement ToJson() => ConfigJson.Write(this);

    /// <exception cref="SimulationException">The plan is not one that this build understands.</exception>
    public static ClientPlan Parse(JsonElement plan)
    {
        var result = ConfigJson.Read<ClientPlan>(plan, "the assignment's training plan");
        if (result is { IsValid: true, Value.Model: CharacterTransformerOptions { Base: { } path } } && (Path.IsPathRooted(path) || path.Split('/', '\\').Contains("..")))
        {
            // The plan comes from elsewhere: it may not make a device open whatever it names.
            throw new SimulationException($"The coordinator's training plan names the file {path}; a plan may only name files below the client's working folder. Refused.");
        }

        return result.IsValid
            ? result.Value
            : throw new SimulationException($"The coordinator's training plan is not understood: {string.Join(" ", result.Errors)}. Update this client.");
    }
}

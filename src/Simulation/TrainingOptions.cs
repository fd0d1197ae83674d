using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Federated.Protocol;

namespace Federated.Simulation;

/// <summary>What clients do with an assignment, and how much of it: the <c>training</c> section of an experiment.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
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

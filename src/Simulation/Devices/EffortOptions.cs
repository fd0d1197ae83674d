using System.ComponentModel.DataAnnotations;
using Federated.Aggregation.Randomness;

namespace Federated.Simulation.Devices;

/// <summary>How many local steps a client does when the strategy leaves that to it (anarchic participation): uniform, drawn per task, or from a table.</summary>
public sealed record EffortOptions : IValidatableObject
{
    /// <value>The default is 1. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int MinimumSteps { get; init; } = 1;

    /// <value>The default is 10. Must be at least the minimum.</value>
    [Range(1, int.MaxValue - 1)]
    public int MaximumSteps { get; init; } = 10;

    /// <summary>A row per client with the steps of each successive task, the last repeating; takes the place of the draw.</summary>
    /// <value>The default is no table. One row per client, each with at least one value of 1 or more.</value>
    public IReadOnlyList<IReadOnlyList<int>> Table { get; init; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var problem in StepTable.Validate(Table, nameof(Table)))
        {
            yield return problem;
        }

        if (MaximumSteps < MinimumSteps)
        {
            yield return new ValidationResult($"maximumSteps {MaximumSteps} is below minimumSteps {MinimumSteps}; raise it.", [nameof(MaximumSteps)]);
        }
    }

    internal int Steps(ulong seed, int client, int task) => Table.Count > 0
        ? StepTable.Steps(Table, client, task)
        : MinimumSteps + SeededRandom.Derive(seed, "effort", client, task).NextInt(MaximumSteps - MinimumSteps + 1);
}

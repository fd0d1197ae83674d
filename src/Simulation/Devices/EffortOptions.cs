using System.ComponentModel.DataAnnotations;
using Federated.Aggregation.Randomness;

namespace Federated.Simulation.Devices;

/// <summary>How many local steps a client does when the strategy leaves that to it (anarchic participation): uniform, drawn per task.</summary>
public sealed record EffortOptions : IValidatableObject
{
    /// <value>The default is 1. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int MinimumSteps { get; init; } = 1;

    /// <value>The default is 10. Must be at least the minimum.</value>
    [Range(1, int.MaxValue - 1)]
    public int MaximumSteps { get; init; } = 10;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaximumSteps < MinimumSteps)
        {
            yield return new ValidationResult($"maximumSteps {MaximumSteps} is below minimumSteps {MinimumSteps}; raise it.", [nameof(MaximumSteps)]);
        }
    }

    internal int Steps(ulong seed, int client, int task) =>
        MinimumSteps + SeededRandom.Derive(seed, "effort", client, task).NextInt(MaximumSteps - MinimumSteps + 1);
}

using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Federated.Aggregation.Randomness;
using Federated.Protocol;

namespace Federated.Simulation.Devices;

/// <summary>How much of the work asked a client does: the fourth knob of client heterogeneity.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(FullCompleteness), "full")]
[JsonDerivedType(typeof(FixedCompleteness), "fixed")]
[JsonDerivedType(typeof(UniformCompleteness), "uniform")]
[JsonDerivedType(typeof(StragglersCompleteness), "stragglers")]
[JsonDerivedType(typeof(TableCompleteness), "table")]
public abstract record CompletenessOptions
{
    /// <summary>Local steps really done, at least 1, of the <paramref name="asked"/>; a pure function of its arguments.</summary>
    /// <param name="task">The number of the client's task, from 0.</param>
    internal int Steps(ulong seed, int client, int task, LocalWork work, int asked) =>
        Math.Clamp(Done(seed, client, task, work, asked), 1, asked);

    private protected abstract int Done(ulong seed, int client, int task, LocalWork work, int asked);

    private protected static SeededRandom Of(ulong seed, int client, int task) => SeededRandom.Derive(seed, "completeness", client, task);
}

/// <summary>Clients do all that is asked.</summary>
public sealed record FullCompleteness : CompletenessOptions
{
    private protected override int Done(ulong seed, int client, int task, LocalWork work, int asked) => asked;
}

/// <summary>Every task ends after the same share of the steps asked, rounded up.</summary>
public sealed record FixedCompleteness : CompletenessOptions
{
    /// <value>The default is 0.5. Must be in (0, 1].</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double Share { get; init; } = 0.5;

    private protected override int Done(ulong seed, int client, int task, LocalWork work, int asked) => (int)Math.Ceiling(Share * asked);
}

/// <summary>Every task draws its share of the steps asked uniformly, rounded up.</summary>
public sealed record UniformCompleteness : CompletenessOptions, IValidatableObject
{
    /// <value>The default is 0. Must be in [0, 1].</value>
    [Range(0.0, 1.0)]
    public double Minimum { get; init; }

    /// <value>The default is 1. Must be in (0, 1] and at least the minimum.</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double Maximum { get; init; } = 1;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Maximum < Minimum)
        {
            yield return new ValidationResult($"maximum {Maximum} is below minimum {Minimum}; raise it.", [nameof(Maximum)]);
        }
    }

    private protected override int Done(ulong seed, int client, int task, LocalWork work, int asked) =>
        (int)Math.Ceiling((Minimum + ((Maximum - Minimum) * Of(seed, client, task).NextDouble())) * asked);
}

/// <summary>
/// The stragglers of FedProx: a share of the tasks stops after a uniform whole number of epochs in {1, …, E−1} (of steps, when the work is
/// asked in steps or is a single epoch).
/// </summary>
/// <remarks>
/// Li et al., MLSys 2020, reference code <c>randint(1, E)</c> with the upper end exclusive. Deviation: each task is a straggler with the
/// given probability, instead of exactly that share of every cohort, so that a client's draw does not depend on who else was selected.
/// </remarks>
public sealed record StragglersCompleteness : CompletenessOptions
{
    /// <value>The default is 0.5. Must be in [0, 1].</value>
    [Range(0.0, 1.0)]
    public double Share { get; init; } = 0.5;

    private protected override int Done(ulong seed, int client, int task, LocalWork work, int asked)
    {
        var random = Of(seed, client, task);
        if (random.NextDouble() >= Share)
        {
            return asked;
        }

        if (work.Epochs >= 2)
        {
            var epochs = 1 + random.NextInt((int)Math.Ceiling(work.Epochs) - 1);
            return (int)Math.Ceiling(asked * (epochs / work.Epochs));
        }

        return asked < 2 ? asked : 1 + random.NextInt(asked - 1);
    }
}

/// <summary>A row per client with the steps of each successive task; the last value of a row repeats. Never more than are asked.</summary>
public sealed record TableCompleteness : CompletenessOptions, IValidatableObject
{
    /// <value>One row per client, each with at least one value of 1 or more.</value>
    [MinLength(1)]
    public IReadOnlyList<IReadOnlyList<int>> Rows { get; init; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => StepTable.Validate(Rows, nameof(Rows));

    private protected override int Done(ulong seed, int client, int task, LocalWork work, int asked) => StepTable.Steps(Rows, client, task);
}

/// <summary>Steps per client and successive task.</summary>
internal static class StepTable
{
    public static int Steps(IReadOnlyList<IReadOnlyList<int>> rows, int client, int task) => rows[client][Math.Min(task, rows[client].Count - 1)];

    public static IEnumerable<ValidationResult> Validate(IReadOnlyList<IReadOnlyList<int>> rows, string name)
    {
        for (var row = 0; row < rows.Count; row++)
        {
            if (rows[row].Count == 0 || rows[row].Any(steps => steps < 1))
            {
                yield return new ValidationResult($"Row {row} of the table must hold at least one value, each 1 or more.", [name]);
            }
        }
    }
}

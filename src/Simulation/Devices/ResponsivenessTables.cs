using System.ComponentModel.DataAnnotations;
using Federated.Aggregation.Randomness;

namespace Federated.Simulation.Devices;

/// <summary>Groups of clients as equal as can be, each group with its own seconds: client c is of group c mod (number of groups).</summary>
public sealed record GroupsResponsiveness : ResponsivenessOptions, IValidatableObject
{
    /// <value>One value per group; at least one. The default is 0.005, 0.01, 0.02. Each must be 0 or more.</value>
    [MinLength(1)]
    public IReadOnlyList<double> Seconds { get; init; } = [0.005, 0.01, 0.02];

    internal override double SecondsFor(ulong seed, int client, int task) => Spread(seed, client, Seconds[client % Seconds.Count]);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Seconds.Any(s => !(s >= 0) || !double.IsFinite(s)))
        {
            yield return new ValidationResult("Every value of seconds must be a finite number of 0 or more.", [nameof(Seconds)]);
        }
    }

    private protected override double Draw(SeededRandom random) => throw new InvalidOperationException("A group's seconds are given, not drawn.");
}

/// <summary>A row per client with one value per successive task; the last value of a row repeats.</summary>
public sealed record TableResponsiveness : ResponsivenessOptions, IValidatableObject
{
    /// <value>One row per client, each with at least one value of 0 or more. Must have as many rows as there are clients.</value>
    [MinLength(1)]
    public IReadOnlyList<IReadOnlyList<double>> Rows { get; init; } = [];

    internal override double SecondsFor(ulong seed, int client, int task)
    {
        var row = Rows[client];
        return Spread(seed, client, row[Math.Min(task, row.Count - 1)]);
    }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        for (var row = 0; row < Rows.Count; row++)
        {
            if (Rows[row].Count == 0 || Rows[row].Any(s => !(s >= 0) || !double.IsFinite(s)))
            {
                yield return new ValidationResult(
                    $"Row {row} of the table must hold at least one value, each a finite number of 0 or more.", [nameof(Rows)]);
            }
        }
    }

    private protected override double Draw(SeededRandom random) => throw new InvalidOperationException("A table's seconds are given, not drawn.");
}

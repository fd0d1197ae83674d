using System.ComponentModel.DataAnnotations;

namespace Federated.Coordinator.Scheduling;

/// <summary>Buffered asynchrony (FedBuff): a constant number of clients in flight, a version per K updates.</summary>
public sealed record BufferedOptions : SchedulerOptions, IValidatableObject
{
    /// <summary>Clients in flight at any time, M_c.</summary>
    /// <value>The default is 100. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int Concurrency { get; init; } = 100;

    /// <summary>Updates per published version, K.</summary>
    /// <value>The default is 10. Must be between 1 and the concurrency.</value>
    [Range(1, int.MaxValue)]
    public int AggregationGoal { get; init; } = 10;

    /// <summary>Whether the last, partly filled buffer is published when the run ends.</summary>
    /// <value>The default is false: a version is always K updates.</value>
    public bool FlushPartial { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (AggregationGoal > Concurrency)
        {
            yield return new ValidationResult(
                $"An aggregation goal of {AggregationGoal} updates is above the concurrency of {Concurrency}: lower aggregationGoal or raise concurrency.",
                [nameof(AggregationGoal), nameof(Concurrency)]);
        }
    }
}

using System.ComponentModel.DataAnnotations;

namespace Federated.Coordinator.Scheduling;

/// <summary>Rounds over a cohort (FedAvg).</summary>
public sealed record SynchronousOptions : SchedulerOptions, IValidatableObject
{
    /// <summary>Updates that complete a round, m.</summary>
    /// <value>The default is 10. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int Cohort { get; init; } = 10;

    /// <summary>Share invited beyond the cohort; the round closes at the cohort and late ones are discarded.</summary>
    /// <value>The default is 0. Must be 0 or more; 0.3 invites 30 % more (Papaya).</value>
    [Range(0, 100)]
    public double OverSelection { get; init; }

    /// <summary>Seconds after which a round closes with what it has, if that is at least <see cref="MinimumReports"/>; 0 for no deadline.</summary>
    /// <value>The default is 0. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double RoundDeadline { get; init; }

    /// <summary>Least updates that make a round; 0 for the whole cohort.</summary>
    /// <value>The default is 0. Must be between 0 and the cohort.</value>
    [Range(0, int.MaxValue)]
    public int MinimumReports { get; init; }

    /// <summary>Seconds to gather check-ins before a cohort is drawn, so that the first to come are not always chosen.</summary>
    /// <value>The default is 0: draw when all check-ins of the same instant are in. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double SelectionWindow { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MinimumReports > Cohort)
        {
            yield return new ValidationResult(
                $"A round of {Cohort} updates cannot need {MinimumReports}: lower minimumReports or raise cohort.",
                [nameof(MinimumReports), nameof(Cohort)]);
        }
    }
}

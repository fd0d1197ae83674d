using System.ComponentModel.DataAnnotations;
using Federated.Coordinator.Runs;

namespace Federated.Coordinator.Scheduling;

/// <summary>FedCompass: clients of different speed are given as many steps as let them arrive together.</summary>
public sealed record CompassOptions : SchedulerOptions, IValidatableObject
{
    /// <summary>Least local steps of an assignment, Q_min.</summary>
    /// <value>The default is 20. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int MinSteps { get; init; } = 20;

    /// <summary>Most local steps of an assignment, Q_max; what a client not yet measured is given.</summary>
    /// <value>The default is 100. Must be at least the minimum.</value>
    [Range(1, int.MaxValue)]
    public int MaxSteps { get; init; } = 100;

    /// <summary>λ: a group waits until λ times the time its first member needs.</summary>
    /// <value>The default is 1.5. Must be 1 or more.</value>
    [Range(1.0, double.MaxValue)]
    public double LatestTimeFactor { get; init; } = 1.5;

    /// <summary>Weight of the newest measurement in a client's speed.</summary>
    /// <value>The default is 0.9. Must be in (0, 1].</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double SpeedMomentum { get; init; } = 0.9;

    /// <summary>α: scales every update's weight.</summary>
    /// <value>The default is 0.9. Must be in (0, 1].</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double Mixing { get; init; } = 0.9;

    /// <summary>Whether an update counts against the current version (the reference's model mode) or against its base (gradient mode).</summary>
    /// <value>The default is <see cref="DeltaBasis.CurrentVersion"/>.</value>
    public DeltaBasis DeltaAgainst { get; init; } = DeltaBasis.CurrentVersion;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MinSteps > MaxSteps)
        {
            yield return new ValidationResult(
                $"minSteps {MinSteps} is above maxSteps {MaxSteps}: lower the one or raise the other.", [nameof(MinSteps), nameof(MaxSteps)]);
        }
    }
}

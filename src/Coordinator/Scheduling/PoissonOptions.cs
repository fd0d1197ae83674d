using System.ComponentModel.DataAnnotations;

namespace Federated.Coordinator.Scheduling;

/// <summary>Rounds whose cohort is drawn by coins: the sampling that DP-FedAvg's amplification is proved for.</summary>
public sealed record PoissonOptions : SchedulerOptions
{
    /// <summary>q, the probability with which a client that is there takes part in a round.</summary>
    /// <value>The default is 0.1. Must be in (0, 1].</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double Probability { get; init; } = 0.1;

    /// <summary>Seconds after which a round closes with what it has; 0 for when everybody drawn has reported or is lost.</summary>
    /// <value>The default is 0. Must be 0 or more.</value>
    [Range(0, double.MaxValue)]
    public double RoundDeadline { get; init; }
}

using System.ComponentModel.DataAnnotations;

namespace Federated.Coordinator.Scheduling;

/// <summary>FedFix: aggregate at fixed times whatever has arrived.</summary>
public sealed record FixedWindowOptions : SchedulerOptions
{
    /// <summary>Δt, seconds between aggregations.</summary>
    /// <value>The default is 60. Must be above 0.</value>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double Window { get; init; } = 60;
}

using System.ComponentModel.DataAnnotations;

namespace Federated.Coordinator.Scheduling;

/// <summary>FedAsync: every update is mixed into the model the moment it arrives.</summary>
public sealed record ImmediateOptions : SchedulerOptions
{
    /// <summary>Clients in flight at any time.</summary>
    /// <value>The default is 100. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int Concurrency { get; init; } = 100;

    /// <summary>α: the part of the new model that a fresh update contributes.</summary>
    /// <value>The default is 0.6. Must be in (0, 1].</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double Mixing { get; init; } = 0.6;
}

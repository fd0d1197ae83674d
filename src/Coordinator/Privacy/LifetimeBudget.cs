using System.ComponentModel.DataAnnotations;

namespace Federated.Coordinator.Privacy;

/// <summary>What all runs of a coordinator together may cost one client. An operator sets it; no run can be configured around it.</summary>
public sealed record LifetimeBudget
{
    /// <summary>ε of all runs that a client takes part in, added up.</summary>
    /// <value>No default. Must be above 0.</value>
    [Range(0.0, 1e6, MinimumIsExclusive = true)]
    public required double Epsilon { get; init; }

    /// <summary>δ of all runs that a client takes part in, added up.</summary>
    /// <value>The default is 1e-5. Must be in (0, 1).</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double Delta { get; init; } = 1e-5;
}

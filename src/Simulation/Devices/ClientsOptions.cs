using System.ComponentModel.DataAnnotations;

namespace Federated.Simulation.Devices;

/// <summary>The simulated clients: how many, and the four knobs of their heterogeneity. The knobs draw from streams of their own, per client and task.</summary>
public sealed record ClientsOptions
{
    /// <summary>Number of clients; 0 for as many as the data are split over.</summary>
    /// <value>The default is 0. Must be 0 or more; without data 1 or more, and with data either 0 or their number of clients.</value>
    [Range(0, 100_000_000)]
    public int Count { get; init; }

    /// <summary>When clients are online.</summary>
    /// <value>The default is <c>always</c>.</value>
    public AvailabilityOptions Availability { get; init; } = new AlwaysAvailable();

    /// <summary>How clients reach the coordinator, and how often they fail to.</summary>
    /// <value>The default is <c>instant</c>.</value>
    public ConnectivityOptions Connectivity { get; init; } = new InstantConnectivity();

    /// <summary>How long clients compute.</summary>
    /// <value>The default is <c>constant</c>.</value>
    public ResponsivenessOptions Responsiveness { get; init; } = new ConstantResponsiveness();

    /// <summary>How much of the work asked clients do.</summary>
    /// <value>The default is <c>full</c>.</value>
    public CompletenessOptions Completeness { get; init; } = new FullCompleteness();

    /// <summary>What clients do when the work is left to them.</summary>
    public EffortOptions Effort { get; init; } = new();

    /// <summary>Which clients are Byzantine, and what they do.</summary>
    /// <value>The default is <c>none</c>.</value>
    [Required]
    public AttackOptions Attack { get; init; } = new NoAttack();
}

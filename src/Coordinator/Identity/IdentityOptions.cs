using System.ComponentModel.DataAnnotations;

namespace Federated.Coordinator.Identity;

/// <summary>Lifetimes of what clients are given.</summary>
public sealed record IdentityOptions
{
    /// <summary>Seconds that an access token is good for.</summary>
    /// <value>The default is 600. Must be 10 to 86400.</value>
    [Range(10.0, 86400.0)]
    public double AccessSeconds { get; init; } = 600;

    /// <summary>Seconds by which clocks of clients and coordinator may differ.</summary>
    /// <value>The default is 60. Must be 0 to 3600.</value>
    [Range(0.0, 3600.0)]
    public double ClockSkewSeconds { get; init; } = 60;

    /// <summary>Most clients that may enrol.</summary>
    /// <value>The default is 1,000,000. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int MaxClients { get; init; } = 1_000_000;
}

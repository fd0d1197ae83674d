using System.ComponentModel.DataAnnotations;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>How a front door behaves towards the cluster behind it.</summary>
public sealed record FrontDoorOptions
{
    /// <summary>How long a request is repeated while its run moves from a dead silo to a living one.</summary>
    /// <value>The default is 25 seconds. Must be 0 or more.</value>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan FailoverPatience { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>How long a front door believes what it was told of somebody: a revocation is seen everywhere after that.</summary>
    /// <value>The default is 5 seconds. Must be 0 or more.</value>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan StandingLease { get; init; } = TimeSpan.FromSeconds(5);
}

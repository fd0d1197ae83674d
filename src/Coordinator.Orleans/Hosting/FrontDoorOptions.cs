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

    /// <summary>Check-ins of one run that this silo lets wait at the run itself; all others are told to it in batches and wait on this silo.</summary>
    /// <value>The default is 256. Must be 0 or more.</value>
    [Range(0, int.MaxValue)]
    public int PollQuota { get; init; } = 256;

    /// <summary>Time after which the run is asked again for check-ins that wait on this silo; it keeps a client's place for half a minute.</summary>
    /// <value>The default is 10 seconds. Must be 0.1 to 20 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:20")]
    public TimeSpan PollRenewal { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes of a masked vector that go to the run's silo in one message; a longer one goes in several.</summary>
    /// <value>The default is 1 MiB. Must be 1 KiB to 64 MiB.</value>
    [Range(1 << 10, 64 << 20)]
    public int StepPartBytes { get; init; } = 1 << 20;

    /// <summary>How long somebody who only looks waits for a run that moves; then what was last heard has to do.</summary>
    /// <value>The default is 3 seconds. Must be 0 or more.</value>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan LookPatience { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Time between two looks at the catalog for runs that were created through other silos.</summary>
    /// <value>The default is 1 second. Must be above 0.</value>
    [Range(typeof(TimeSpan), "00:00:00.01", "01:00:00")]
    public TimeSpan CatalogPeriod { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time after which a front door asks again for a run's news; a run sends them for a minute.</summary>
    /// <value>The default is 20 seconds. Must be 1 second to 50 seconds.</value>
    [Range(typeof(TimeSpan), "00:00:01", "00:00:50")]
    public TimeSpan FollowPeriod { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Time between two sweeps of the store for blobs that no run needs; one silo does it for all. Zero for never.</summary>
    /// <value>The default is 1 hour. Must be 0 or more.</value>
    [Range(typeof(TimeSpan), "00:00:00", "365.00:00:00")]
    public TimeSpan SweepPeriod { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Whether updates are read and checked on the silo that they came to. Off only to measure what that is worth.</summary>
    internal bool ChecksUpdates { get; init; } = true;
}

using System.ComponentModel.DataAnnotations;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Privacy;
using Federated.Protocol.Local;

namespace Federated.Coordinator.Http;

/// <summary>How a coordinator serves.</summary>
public sealed record CoordinatorOptions
{
    /// <summary>Where everything stands that must survive: runs, blobs, identities.</summary>
    [Required]
    public required string DataDirectory { get; init; }

    /// <summary>Addresses: <c>http://127.0.0.1:7431</c>, <c>https://0.0.0.0:8443</c>, <c>h2c://127.0.0.1:7432</c>. Without TLS only loopback is listened on.</summary>
    /// <value>The default is one, on loopback.</value>
    [Required, MinLength(1)]
    public IReadOnlyList<string> Listen { get; init; } = [LocalCoordinator.DefaultUrl];

    /// <summary>PEM file of the server's certificate and its chain; empty for the one of the private authority in the data directory.</summary>
    public string Certificate { get; init; } = "";

    /// <summary>PEM file of its private key.</summary>
    public string CertificateKey { get; init; } = "";

    public IdentityOptions Identity { get; init; } = new();

    public RunHostOptions Host { get; init; } = new();

    /// <summary>What all runs together may cost one client.</summary>
    /// <value>The default is null: each run has its own budget, and they are not added up.</value>
    public LifetimeBudget? ClientBudget { get; init; }

    /// <summary>Requests a second that one client may make on average; beyond, it is told 429.</summary>
    /// <value>The default is 200. Must be above 0.</value>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double ClientRate { get; init; } = 200;

    /// <summary>Requests that one client may make at once.</summary>
    /// <value>The default is 400. Must be 1 or more.</value>
    [Range(1.0, double.MaxValue)]
    public double ClientBurst { get; init; } = 400;

    /// <summary>Enrolments and token requests a second from one address.</summary>
    /// <value>The default is 200. Must be above 0.</value>
    [Range(0.0, double.MaxValue, MinimumIsExclusive = true)]
    public double AddressRate { get; init; } = 200;

    /// <summary>Bodies larger than <see cref="SmallBody"/> that are received at once; beyond, clients are told 503.</summary>
    /// <value>The default is 64. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int ConcurrentUploads { get; init; } = 64;

    /// <summary>Bodies larger than <see cref="SmallBody"/> that one client may send at once.</summary>
    /// <value>The default is 4. Must be 1 or more.</value>
    [Range(1, int.MaxValue)]
    public int ConcurrentUploadsPerClient { get; init; } = 4;

    /// <summary>Bytes of unfinished uploads that may lie on disk, over all clients.</summary>
    /// <value>The default is 64 GiB. Must be 1 or more.</value>
    [Range(1, long.MaxValue)]
    public long UnfinishedUploadBytes { get; init; } = 64L << 30;

    /// <summary>Seconds after which an unfinished upload that nobody adds to is thrown away.</summary>
    /// <value>The default is 86400. Must be 1 or more.</value>
    [Range(1.0, double.MaxValue)]
    public double UploadIdleSeconds { get; init; } = 86400;

    /// <summary>Bytes a second below which a body that comes in is given up, after <see cref="BodyGraceSeconds"/>.</summary>
    /// <value>The default is 1024. Must be 1 or more.</value>
    [Range(1.0, double.MaxValue)]
    public double MinimumBodyRate { get; init; } = 1024;

    /// <summary>Seconds that a body may take to get going.</summary>
    /// <value>The default is 10. Must be 1 or more.</value>
    [Range(1.0, double.MaxValue)]
    public double BodyGraceSeconds { get; init; } = 10;

    /// <summary>Seconds that stopping may take: requests under way are finished, long polls are let go.</summary>
    /// <value>The default is 30. Must be 1 or more.</value>
    [Range(1.0, double.MaxValue)]
    public double DrainSeconds { get; init; } = 30;

    /// <summary>Seconds between two sweeps of blobs that nobody needs.</summary>
    /// <value>The default is 3600. Must be 1 or more.</value>
    [Range(1.0, double.MaxValue)]
    public double SweepSeconds { get; init; } = 3600;

    /// <summary>OTLP endpoint for traces and metrics; empty for none (or what <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says).</summary>
    public string OtlpEndpoint { get; init; } = "";

    /// <summary>Whether log lines are JSON objects.</summary>
    /// <value>The default is false: text for people.</value>
    public bool JsonLogs { get; init; }

    /// <summary>Largest body that is read into memory whole.</summary>
    public const int SmallBody = 256 << 10;
}

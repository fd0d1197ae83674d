using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography.X509Certificates;

namespace Federated.Shuffler;

/// <summary>What a shuffler is told by its operator, who is not the coordinator's.</summary>
public sealed record ShufflerOptions
{
    /// <summary>Keys, and the reports that are held.</summary>
    [Required]
    public required string DataDirectory { get; init; }

    /// <summary>What the coordinator's operator calls this shuffler.</summary>
    [Required]
    public required string Name { get; init; }

    /// <summary>Where batches go: the coordinator, or the shuffler behind this one.</summary>
    public required Uri Destination { get; init; }

    /// <summary>The coordinator's ticket key, for the first shuffler of a way; empty for one that takes reports from no client.</summary>
    public string TicketKey { get; init; } = "";

    /// <summary>The signing key of the shuffler before this one; empty when clients come here.</summary>
    public string PreviousKey { get; init; } = "";

    /// <summary>No batch of fewer reports leaves, whatever the coordinator's tickets say.</summary>
    /// <value>The default is 2. Must be in [2, 1000000000].</value>
    [Range(2, 1_000_000_000)]
    public int MinBatch { get; init; } = 2;

    /// <summary>Largest body that is taken from a client.</summary>
    /// <value>The default is 256 MiB. Must be 4096 or more.</value>
    [Range(4096, 1 << 30)]
    public int MaxReportBytes { get; init; } = 256 << 20;

    /// <summary>Bytes of reports that are received at once, and so of the largest batch of a shuffler before this one; beyond, clients are told to come back.</summary>
    /// <value>The default is 1 GiB. Must be 1 MiB or more.</value>
    [Range(1 << 20, long.MaxValue)]
    public long MaxBytesInFlight { get; init; } = 1L << 30;

    /// <summary>Seconds before a batch that could not be delivered is sent again; it doubles up to a minute.</summary>
    /// <value>The default is 0.5. Must be above 0.</value>
    [Range(0.001, 60)]
    public double FirstRetrySeconds { get; init; } = 0.5;

    /// <summary>Where it listens.</summary>
    [Required, MinLength(1)]
    public IReadOnlyList<ShufflerAddress> Listen { get; init; } = [new("127.0.0.1", 7441, null)];
}

/// <summary>An address to listen on.</summary>
/// <param name="Host">An IP address, <c>localhost</c>, or <c>*</c> for all.</param>
/// <param name="Certificate">For TLS; without it only loopback may be listened on.</param>
public sealed record ShufflerAddress(string Host, int Port, X509Certificate2? Certificate);

using System.ComponentModel.DataAnnotations;

namespace Federated.Coordinator.Hosting;

/// <summary>How often a run is saved whole, and how much of its past is kept. Nothing here touches what is acknowledged: that is always durable.</summary>
public sealed record DurabilityOptions
{
    /// <summary>Save the run whole when so many bytes (events, and the updates they name) would have to be read again after a crash.</summary>
    /// <value>The default is 64 MiB. Must be 1 or more.</value>
    [Range(1, long.MaxValue)]
    public long ReplayBytes { get; init; } = 64 << 20;

    /// <summary>Save a run that has published since it was last saved after so many seconds on its clock.</summary>
    /// <value>The default is 60. Must be 0 or more; 0 saves at every published version.</value>
    [Range(0, double.MaxValue)]
    public double ReplaySeconds { get; init; } = 60;

    /// <summary>Updates and versions up to this size are kept in memory and in the log until the run is saved; larger ones are files of their own.</summary>
    /// <value>The default is 64 KiB. Must be 0 (every one is a blob of its own) to 1 MiB.</value>
    [Range(0, 1 << 20)]
    public int InlineBytes { get; init; } = 64 << 10;

    /// <summary>Whether small versions may stay in this process's memory until the run is saved; where others read them, as in a cluster, they must not.</summary>
    /// <value>The default is true.</value>
    public bool VersionsInMemory { get; init; } = true;

    /// <summary>The last so many versions can be downloaded, besides the current and the best and those that clients train from.</summary>
    /// <value>The default is 3. Must be 0 or more.</value>
    [Range(0, int.MaxValue)]
    public int KeepLast { get; init; } = 3;

    /// <summary>Every so many versions one is kept for good; 0 for none, 1 for all.</summary>
    /// <value>The default is 0. Must be 0 or more.</value>
    [Range(0, int.MaxValue)]
    public int KeepEvery { get; init; }
}

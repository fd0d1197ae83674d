using System.ComponentModel.DataAnnotations;

namespace Federated.Privacy.Pipeline;

/// <summary>
/// Each client randomises its own update, and a shuffler that does not collude with the server hides who sent which: far less noise for
/// the same ε. Against a server that colludes with the shuffler, each report still has its ε₀.
/// </summary>
public sealed record ShufflePrivacyOptions : RandomizedReportOptions
{
    /// <summary>B_min: a release of fewer reports is refused, and the guarantee is computed for this many.</summary>
    /// <value>The default is 0: the run's least number of updates a release. Must be in [0, 1000000000].</value>
    [Range(0, 1_000_000_000)]
    public int MinBatch { get; init; }

    /// <summary>Clients assumed to collude with the server, of every batch: they do not hide anybody.</summary>
    /// <value>The default is 0. Must be in [0, 1000000000].</value>
    [Range(0, 1_000_000_000)]
    public int AssumedCorrupt { get; init; }

    /// <summary>Names of the shufflers between clients and coordinator, first to last, as they are registered there; two hide more than one.</summary>
    /// <value>The default is none: a simulation shuffles by itself. A run with real clients needs one or more.</value>
    public IReadOnlyList<string> Shufflers { get; init; } = [];

    /// <summary>Seconds after a batch's first report at which a shuffler closes it, or drops it when it is too small.</summary>
    /// <value>The default is 600. Must be in [1, 31536000].</value>
    [Range(1.0, 31_536_000.0)]
    public double BatchSeconds { get; init; } = 600;
}

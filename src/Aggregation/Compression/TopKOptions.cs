using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Compression;

/// <summary>Options of <see cref="TopKCodec{T}"/>.</summary>
public sealed record TopKOptions : CodecOptions
{
    /// <summary>k/d, the share of coordinates that are sent; k = ⌈Ratio·d⌉, at least 1.</summary>
    /// <value>The default is 0.01. Must be in (0, 1].</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double Ratio { get; init; } = 0.01;
}

/// <summary>Options of <see cref="RandomKCodec{T}"/>.</summary>
public sealed record RandomKOptions : CodecOptions
{
    /// <summary>k/d, the share of coordinates that are sent; k = ⌈Ratio·d⌉, at least 1.</summary>
    /// <value>The default is 0.01. Must be in (0, 1].</value>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double Ratio { get; init; } = 0.01;

    /// <summary>Whether values are scaled by d/k, so that the decoded update is the update in expectation; false under error feedback.</summary>
    /// <value>The default is true.</value>
    public bool Unbiased { get; init; } = true;
}

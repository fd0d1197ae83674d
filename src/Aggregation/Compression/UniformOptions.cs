using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Compression;

/// <summary>Options of <see cref="UniformCodec{T}"/>.</summary>
public sealed record UniformOptions : CodecOptions
{
    /// <summary>b, bits per coordinate.</summary>
    /// <value>The default is 8. Must be 1, 2, 4 or 8.</value>
    [AllowedValues(1, 2, 4, 8)]
    public int Bits { get; init; } = 8;

    /// <summary>Coordinates that share a scale.</summary>
    /// <value>The default is 512. Must be a power of two in [64, 4096].</value>
    [Range(64, 4096)]
    public int Bucket { get; init; } = 512;

    /// <summary>Whether Q(x)/(1 + ω) is sent in place of Q(x): biased but contractive, so that error feedback can rest on it.</summary>
    /// <value>The default is false.</value>
    public bool Contractive { get; init; }
}

using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Compression;

/// <summary>How QSGD's levels are written.</summary>
public enum QsgdCoding
{
    /// <summary>Every coordinate in ⌈log₂(2s + 1)⌉ bits: size known beforehand, decodes at memory speed.</summary>
    Fixed,

    /// <summary>Only coordinates with a level other than 0, in Elias codes: smaller for few levels, slower, size depends on the update.</summary>
    Elias,
}

/// <summary>Options of <see cref="QsgdCodec{T}"/>.</summary>
public sealed record QsgdOptions : CodecOptions
{
    /// <summary>s, the number of levels above 0; 1, 7 and 127 fill 2, 4 and 8 bits.</summary>
    /// <value>The default is 7. Must be in [1, 127].</value>
    [Range(1, 127)]
    public int Levels { get; init; } = 7;

    /// <summary>Coordinates that share a norm.</summary>
    /// <value>The default is 512. Must be a power of two in [64, 4096].</value>
    [Range(64, 4096)]
    public int Bucket { get; init; } = 512;

    /// <summary>How levels are written.</summary>
    /// <value>The default is fixed width.</value>
    [EnumDataType(typeof(QsgdCoding))]
    public QsgdCoding Coding { get; init; } = QsgdCoding.Fixed;

    /// <summary>Whether Q(x)/(1 + ω) is sent in place of Q(x): biased but contractive, so that error feedback can rest on it.</summary>
    /// <value>The default is false.</value>
    public bool Contractive { get; init; }
}

using System.ComponentModel.DataAnnotations;
using Federated.Aggregation.Compression.Feedback;

namespace Federated.Aggregation.Compression;

/// <summary>How updates travel from client to server; options of codecs that are not named are not read.</summary>
public sealed record CompressionOptions
{
    /// <summary>The codec's name; see <see cref="UpdateCodecs"/>.</summary>
    /// <value>The default is identity. Must be one of the names in <see cref="UpdateCodecs.All"/>.</value>
    [Required]
    public string Codec { get; init; } = UpdateCodecs.Identity;

    /// <summary>What a client remembers of what was not sent.</summary>
    /// <value>The default is none. Must be one of the names in <see cref="UpdateCodecs.AllFeedback"/>; all but none need a contractive codec.</value>
    [Required]
    public string Feedback { get; init; } = UpdateCodecs.NoFeedback;

    public TopKOptions TopK { get; init; } = new();

    public RandomKOptions RandomK { get; init; } = new();

    public QsgdOptions Qsgd { get; init; } = new();

    public UniformOptions Uniform { get; init; } = new();

    public EControlOptions EControl { get; init; } = new();
}

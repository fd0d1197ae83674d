using System.ComponentModel.DataAnnotations;
using Federated.Aggregation.Compression.Feedback;

namespace Federated.Aggregation.Compression;

/// <summary>How updates travel from client to server.</summary>
public sealed record CompressionOptions
{
    /// <summary>What an update becomes on the wire.</summary>
    /// <value>The default is <c>identity</c>.</value>
    [Required]
    public CodecOptions Codec { get; init; } = new IdentityOptions();

    /// <summary>What a client remembers of what was not sent; all but <c>none</c> need a contractive codec.</summary>
    /// <value>The default is <c>none</c>.</value>
    [Required]
    public FeedbackOptions Feedback { get; init; } = new NoFeedbackOptions();
}

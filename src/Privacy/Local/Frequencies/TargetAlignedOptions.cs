using System.ComponentModel.DataAnnotations;

namespace Federated.Privacy.Local.Frequencies;

/// <summary>Options of <see cref="TargetAlignedSearch"/> beside those of the prefix tree.</summary>
public sealed record TargetAlignedOptions
{
    /// <summary>Levels of the trie that all parties search together before each searches its own.</summary>
    /// <value>The default is 2. Must be in [1, 64]; 64, or as many as there are groups, is one pooled search.</value>
    [Range(1, 64)]
    public int SharedLevels { get; init; } = 2;

    /// <summary>c: a prefix is extended when it is at most c deviations below the k-th largest.</summary>
    /// <value>The default is 1. Must be in [0, 10].</value>
    [Range(0.0, 10.0)]
    public double Slack { get; init; } = 1;

    /// <summary>z: but not when it is less than z deviations of a rare prefix's estimate above zero.</summary>
    /// <value>The default is 1. Must be in [0, 10].</value>
    [Range(0.0, 10.0)]
    public double Significance { get; init; } = 1;

    /// <summary>Deviations on either side of an estimate that a party's word to the next covers.</summary>
    /// <value>The default is 2. Must be in [0.5, 10].</value>
    [Range(0.5, 10.0)]
    public double Confidence { get; init; } = 2;

    /// <summary>At most this many times k prefixes are extended at a level.</summary>
    /// <value>The default is 3. Must be in [1, 16].</value>
    [Range(1, 16)]
    public int LargestExtension { get; init; } = 3;
}

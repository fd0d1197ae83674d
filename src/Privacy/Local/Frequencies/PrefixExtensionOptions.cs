using System.ComponentModel.DataAnnotations;

namespace Federated.Privacy.Local.Frequencies;

/// <summary>Options of <see cref="PrefixExtension"/>.</summary>
public sealed record PrefixExtensionOptions
{
    /// <summary>ε of a client's one report.</summary>
    /// <value>The default is 4. Must be in [0.001, 40].</value>
    [Range(0.001, 40.0)]
    public double Epsilon { get; init; } = 4;

    /// <summary>L, the length of an item in bits.</summary>
    /// <value>The default is 32. Must be in [2, 64].</value>
    [Range(2, 64)]
    public int ItemBits { get; init; } = 32;

    /// <summary>k, how many heavy hitters to look for.</summary>
    /// <value>The default is 10. Must be in [1, 100000].</value>
    [Range(1, 100_000)]
    public int HeavyHitters { get; init; } = 10;

    /// <summary>η, by how many bits candidates are extended from group to group; k·2^η candidates are tried each time.</summary>
    /// <value>The default is 6. Must be in [1, 16].</value>
    [Range(1, 16)]
    public int StepBits { get; init; } = 6;

    /// <summary>How many times k prefixes are kept on the way; k items at the end. Words need more than 1: prefixes of many rare ones crowd out those of a frequent one.</summary>
    /// <value>The default is 1, the paper's. Must be in [1, 16].</value>
    [Range(1, 16)]
    public int Breadth { get; init; } = 1;
}

namespace Federated.Privacy;

/// <summary>How two neighbouring data sets differ in one privacy unit.</summary>
/// <remarks>
/// A mechanism that sums vectors of L2 norm at most C has sensitivity C under <see cref="AddRemove"/> and <see cref="ZeroOut"/>, and 2C
/// under <see cref="ReplaceOne"/>. Guarantees under unlike relations are not comparable and never composed.
/// </remarks>
public enum Adjacency
{
    /// <summary>One data set has the unit, the other lacks it.</summary>
    AddRemove,

    /// <summary>The unit's value is exchanged for any other; the number of units is the same, and public.</summary>
    ReplaceOne,

    /// <summary>The unit's contribution is exchanged for zero; the number of units is the same, and public.</summary>
    ZeroOut,
}

using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Staleness;

/// <summary>s(τ) = e^(−a·τ).</summary>
/// <remarks>Folklore, without a defining paper; e^−a is the discount per version (a = 0.105 for the common 0.9).</remarks>
public sealed record ExponentialStaleness : StalenessWeight
{
    /// <summary>a, the decay per version.</summary>
    /// <value>The default is 0.5. Must be in [0, 100].</value>
    [Range(0.0, 100.0)]
    public double Rate { get; init; } = 0.5;

    public override string Name => StalenessWeights.Exponential;

    protected override double Raw(int staleness) => Math.Exp(-Rate * staleness);
}

using System.ComponentModel.DataAnnotations;

namespace Federated.Aggregation.Staleness;

/// <summary>s(τ) = 1 for τ ≤ b, else 1 / (a·(τ − b) + 1).</summary>
/// <remarks>
/// Xie, Koyejo, Gupta, "Asynchronous Federated Optimization", 2019, Section 5.2, https://arxiv.org/abs/1903.03934. Deviation: none; some
/// published code leaves out the + 1, which jumps above 1 just past the bound for a &lt; 1.
/// </remarks>
public sealed record HingeStaleness : StalenessWeight
{
    /// <summary>a, how fast updates beyond the bound lose weight.</summary>
    /// <value>The default is 10. Must be 0 or more.</value>
    [Range(0.0, 1e9)]
    public double Slope { get; init; } = 10;

    /// <summary>b, the staleness up to which an update has full weight.</summary>
    /// <value>The default is 4. Must be 0 or more.</value>
    [Range(0, int.MaxValue)]
    public int Bound { get; init; } = 4;

    public override string Name => StalenessWeights.Hinge;

    protected override double Raw(int staleness) => staleness <= Bound ? 1 : 1 / ((Slope * ((double)staleness - Bound)) + 1);
}

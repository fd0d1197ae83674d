using System.Numerics;
using Federated.Aggregation.Robust.Kernels;

namespace Federated.Aggregation.Robust;

/// <summary>Krum: the one update whose n − f − 2 nearest fellows lie closest to it.</summary>
/// <remarks>
/// Blanchard, El Mhamdi, Guerraoui, Stainer, "Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent", NeurIPS 2017,
/// section 4. Deviation: none; unweighted as in the paper. Equal scores go to the lower index, as the paper's footnote allows.
/// Cost: O(d·n²) time, O(n²) extra memory. Holds all n updates. Tolerates f arbitrary updates when n ≥ 2f + 3: with h honest updates of
/// spread r around each other, the result is an update within O(√n·r) of an honest one.
/// </remarks>
public sealed class Krum<T>(KrumOptions options) : IRobustRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int byzantine = RobustGuards.Byzantine(options.Byzantine);

    public string Name => RobustRules.Krum;

    public int MinimumCount => checked((2 * byzantine) + 3);

    public int Tolerates(int count) => count >= MinimumCount ? byzantine : 0;

    public RobustOutcome Combine(HeldUpdates<T> updates, Span<T> result)
    {
        ArgumentNullException.ThrowIfNull(updates);
        updates.ThrowIfUnfit(this, result, $"2f + 3 with f = {byzantine}");
        var n = updates.Count;
        var scores = KrumScores.Of(PairwiseDistances.Squared(updates), n, RobustGuards.Indices(n), n - byzantine - 2);
        var chosen = KrumScores.Smallest(scores, 1);
        updates[chosen[0]].CopyTo(result);
        return new RobustOutcome(1) { LeftOut = RobustGuards.AllBut(chosen, n, "not the lowest Krum score") };
    }
}

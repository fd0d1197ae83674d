using System.Numerics;
using Federated.Aggregation.Robust.Kernels;

namespace Federated.Aggregation.Robust;

/// <summary>Multi-Krum: the mean of the m updates with the lowest Krum scores.</summary>
/// <remarks>
/// Blanchard, El Mhamdi, Guerraoui, Stainer, "Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent", NeurIPS 2017,
/// section 4; m ≤ n − f − 2 from Damaskinos et al., "AggregaThor", MLSys 2019 (from memory).
/// Deviation: none; unweighted as in the paper, scores are computed once. Equal scores go to the lower index.
/// Cost: O(d·n²) time, O(n²) extra memory. Holds all n updates. Tolerates f arbitrary updates when n ≥ 2f + 3.
/// </remarks>
public sealed class MultiKrum<T>(MultiKrumOptions options) : IRobustRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int byzantine = RobustGuards.Byzantine(options.Byzantine);
    private readonly int selected = options.Selected >= 0
        ? options.Selected
        : throw new AggregationException($"Multi-Krum needs Selected of 0 (for n − f − 2) or more, it was {options.Selected}.");

    public string Name => RobustRules.MultiKrum;

    public int MinimumCount => checked(byzantine + 2 + Math.Max(selected, byzantine + 1));

    public int Tolerates(int count) => count >= MinimumCount ? byzantine : 0;

    public RobustOutcome Combine(HeldUpdates<T> updates, Span<T> result)
    {
        ArgumentNullException.ThrowIfNull(updates);
        updates.ThrowIfUnfit(this, result, $"2f + 3 and m + f + 2 with f = {byzantine}, m = {selected}");
        var n = updates.Count;
        var scores = KrumScores.Of(PairwiseDistances.Squared(updates), n, RobustGuards.Indices(n), n - byzantine - 2);
        var chosen = KrumScores.Smallest(scores, selected == 0 ? n - byzantine - 2 : selected);
        Combination.Write(updates, RobustGuards.Ones(chosen, n), chosen.Length, result);
        return new RobustOutcome(chosen.Length)
        {
            LeftOut = RobustGuards.AllBut(chosen, n, $"Krum score not among the {chosen.Length} lowest"),
        };
    }
}

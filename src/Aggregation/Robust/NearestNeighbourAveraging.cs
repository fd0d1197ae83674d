using System.Numerics;
using Federated.Aggregation.Robust.Kernels;

namespace Federated.Aggregation.Robust;

/// <summary>Nearest-neighbour averaging (NNA): the mean of the n − f updates that lie nearest to a pivot.</summary>
/// <remarks>
/// Farhadkhani, Guerraoui, Gupta, Hoang, Pinot, Stephan, "Robust Collaborative Learning with Linear Gradient Overhead" (MoNNA), ICML
/// 2023, section 3, https://arxiv.org/abs/2209.10931. Unweighted as in the paper.
/// Deviation: the paper's worker is its own pivot; a server has no vector of its own, so the pivot is the coordinate-wise median or the
/// model itself. Between peers, <see cref="Combine(HeldUpdates{T}, ReadOnlyMemory{T}, Span{T})"/> takes the worker's own vector. Equal
/// distances go to the lower index.
/// Cost: O(d·n), two reads of the inputs and the median's. Holds all n updates; O(d) for the pivot.
/// Tolerates f &lt; n/2: fewer arbitrary updates survive than honest ones, and each lies no farther from the pivot than some honest one.
/// </remarks>
public sealed class NearestNeighbourAveraging<T>(NearestNeighbourAveragingOptions options) : IRobustRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int byzantine = RobustGuards.Byzantine(options.Byzantine);
    private readonly CoordinateMedian<T> median = new();

    public string Name => RobustRules.NearestNeighbourAveraging;

    public int MinimumCount => checked((2 * byzantine) + 1);

    public int Tolerates(int count) => count >= MinimumCount ? byzantine : 0;

    public RobustOutcome Combine(HeldUpdates<T> updates, Span<T> result)
    {
        ArgumentNullException.ThrowIfNull(updates);
        updates.ThrowIfUnfit(this, result, $"2f + 1 with f = {byzantine}");
        var pivot = new T[updates.Dimension];
        if (options.Pivot == NearestNeighbourPivot.Median)
        {
            median.Combine(updates, pivot);
        }

        return Combine(updates, pivot, result);
    }

    /// <summary>The mean of the n − f updates nearest to the given pivot: the paper's rule, the pivot being the worker's own vector.</summary>
    public RobustOutcome Combine(HeldUpdates<T> updates, ReadOnlyMemory<T> pivot, Span<T> result)
    {
        ArgumentNullException.ThrowIfNull(updates);
        updates.ThrowIfUnfit(this, result, $"2f + 1 with f = {byzantine}");
        var n = updates.Count;
        var vectors = new HeldUpdates<T>([.. updates.Vectors, pivot]) { Threads = updates.Threads };
        var squared = Combination.SquaredDistances(vectors, n, RobustGuards.Ones([n], n + 1));
        var chosen = KrumScores.Smallest(squared, n - byzantine);
        Combination.Write(updates, RobustGuards.Ones(chosen, n), chosen.Length, result);
        return new RobustOutcome(chosen.Length)
        {
            LeftOut = RobustGuards.AllBut(chosen, n, $"not among the {chosen.Length} nearest to the pivot"),
        };
    }
}

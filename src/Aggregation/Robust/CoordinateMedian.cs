using System.Numerics;
using System.Runtime.Intrinsics;
using Federated.Aggregation.Robust.Kernels;

namespace Federated.Aggregation.Robust;

/// <summary>Coordinate-wise median: at every coordinate the middle value, or the mean of the two middle values when n is even.</summary>
/// <remarks>
/// Yin, Chen, Ramchandran, Bartlett, "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates", ICML 2018,
/// Definition 1 (numbering from memory), https://arxiv.org/abs/1803.01498.
/// Deviation: none; the paper is unweighted, so weights and example counts are ignored.
/// Cost: O(d·n·log²n) compare-exchanges on whole registers, reads the n·d inputs once. Holds all n updates.
/// Tolerates ⌊(n−1)/2⌋ arbitrary updates: every coordinate stays within the range of the honest ones.
/// </remarks>
public sealed class CoordinateMedian<T> : IRobustRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public string Name => RobustRules.Median;

    public int MinimumCount => 1;

    public bool IsCoordinateWise => true;

    public int Tolerates(int count) => Math.Max(0, (count - 1) / 2);

    public RobustOutcome Combine(HeldUpdates<T> updates, Span<T> result)
    {
        ArgumentNullException.ThrowIfNull(updates);
        updates.ThrowIfUnfit(this, result, "a median of none is undefined");
        var low = (updates.Count - 1) / 2;
        var high = updates.Count / 2;
        var network = SortingNetwork.For(updates.Count, low, high + 1);
        SortedColumns.Run(updates, network, result, new Middle(low, high));
        return new RobustOutcome(updates.Count);
    }

    private readonly unsafe struct Middle(int low, int high) : IColumnReduction<T>
    {
        // Halving before adding cannot overflow, and rounds once, like the mean itself.
        public void Reduce(T* rows, int width, T* output)
        {
            var a = rows + ((long)low * width);
            var b = rows + ((long)high * width);
            if (low == high)
            {
                new ReadOnlySpan<T>(a, width).CopyTo(new Span<T>(output, width));
                return;
            }

            var half = Vector512.Create(T.CreateChecked(0.5));
            for (var j = 0; j < width; j += Vector512<T>.Count)
            {
                ((Vector512.Load(a + j) * half) + (Vector512.Load(b + j) * half)).Store(output + j);
            }
        }
    }
}

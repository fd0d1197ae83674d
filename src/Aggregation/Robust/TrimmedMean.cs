using System.Numerics;
using System.Runtime.Intrinsics;
using Federated.Aggregation.Robust.Kernels;

namespace Federated.Aggregation.Robust;

/// <summary>
/// Coordinate-wise trimmed mean: at every coordinate the ⌊β·n⌋ smallest and ⌊β·n⌋ largest values are discarded and the rest averaged.
/// </summary>
/// <remarks>
/// Yin, Chen, Ramchandran, Bartlett, "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates", ICML 2018,
/// Definition 2 (numbering from memory), https://arxiv.org/abs/1803.01498.
/// Deviation: none; the paper is unweighted, so weights and example counts are ignored.
/// Cost: O(d·n·log²n) compare-exchanges on whole registers, reads the n·d inputs once; sums in double in ascending value order.
/// Holds all n updates. Tolerates ⌊β·n⌋ arbitrary updates: every coordinate stays within the range of the honest ones.
/// </remarks>
public sealed class TrimmedMean<T>(TrimmedMeanOptions options) : IRobustRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly double beta = options.Beta is >= 0 and < 0.5
        ? options.Beta
        : throw new AggregationException($"The trimmed mean needs Beta in [0, 0.5), it was {options.Beta}: half or more would leave nothing to average.");

    public string Name => RobustRules.TrimmedMean;

    public int MinimumCount => 1;

    public bool IsCoordinateWise => true;

    // The factor lets 0.29·100, which is 28.999999999999996 in binary, be 29 as written.
    public int Tolerates(int count) => Math.Min((int)(beta * count * (1 + 1e-12)), Math.Max(0, (count - 1) / 2));

    public RobustOutcome Combine(HeldUpdates<T> updates, Span<T> result)
    {
        ArgumentNullException.ThrowIfNull(updates);
        updates.ThrowIfUnfit(this, result, "a mean of none is undefined");
        var trim = Tolerates(updates.Count);
        var network = SortingNetwork.For(updates.Count, trim, updates.Count - trim);
        SortedColumns.Run(updates, network, result, new MeanOfRanks(trim, updates.Count - trim));
        return new RobustOutcome(updates.Count);
    }

    private readonly unsafe struct MeanOfRanks(int first, int end) : IColumnReduction<T>
    {
        public void Reduce(T* rows, int width, T* output)
        {
            var count = Vector512.Create((double)(end - first));
            for (var j = 0; j < width; j += Wide.Count)
            {
                var (lower, upper) = Wide.Load(rows + ((long)first * width) + j);
                for (var r = first + 1; r < end; r++)
                {
                    var (low, high) = Wide.Load(rows + ((long)r * width) + j);
                    lower += low;
                    upper += high;
                }

                Wide.Store(lower / count, upper / count, output + j);
            }
        }
    }
}

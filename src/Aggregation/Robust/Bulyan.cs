using System.Numerics;
using System.Runtime.Intrinsics;
using Federated.Aggregation.Robust.Kernels;

namespace Federated.Aggregation.Robust;

/// <summary>
/// Bulyan over Krum: θ = n − 2f updates are chosen one by one with Krum, then at every coordinate the θ − 2f values nearest to the
/// median of the chosen ones are averaged.
/// </summary>
/// <remarks>
/// El Mhamdi, Guerraoui, Rouault, "The Hidden Vulnerability of Distributed Learning in Byzantium", ICML 2018, section 4,
/// https://arxiv.org/abs/1802.07927. Unweighted as in the paper.
/// Deviation: the last choices are made among fewer than 2f + 3 candidates, where Krum's r − f − 2 neighbours may be none; at least one
/// is used. Values equally near to the median: the smaller one is kept.
/// Cost: O(d·n²) for distances, O(n³·log n) for choosing, O(d·n·log²n) for the coordinates. Holds all n updates.
/// Tolerates f arbitrary updates when n ≥ 4f + 3: every coordinate is then an average of values inside the honest range, f or fewer of
/// the chosen being arbitrary and 2f values being cut.
/// </remarks>
public sealed class Bulyan<T>(BulyanOptions options) : IRobustRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int byzantine = RobustGuards.Byzantine(options.Byzantine);

    public string Name => RobustRules.Bulyan;

    public int MinimumCount => checked((4 * byzantine) + 3);

    public int Tolerates(int count) => count >= MinimumCount ? byzantine : 0;

    public RobustOutcome Combine(HeldUpdates<T> updates, Span<T> result)
    {
        ArgumentNullException.ThrowIfNull(updates);
        updates.ThrowIfUnfit(this, result, $"4f + 3 with f = {byzantine}");
        var n = updates.Count;
        var chosen = Choose(PairwiseDistances.Squared(updates), n, n - (2 * byzantine));
        Array.Sort(chosen);
        var vectors = new ReadOnlyMemory<T>[chosen.Length];
        for (var i = 0; i < chosen.Length; i++)
        {
            vectors[i] = updates.Vectors[chosen[i]];
        }

        var selection = new HeldUpdates<T>(vectors) { Threads = updates.Threads };
        var network = SortingNetwork.For(chosen.Length, 0, chosen.Length);
        SortedColumns.Run(selection, network, result, new NearestToMedian(chosen.Length, 2 * byzantine));
        return new RobustOutcome(chosen.Length) { LeftOut = RobustGuards.AllBut(chosen, n, $"not among the {chosen.Length} chosen by Krum") };
    }

    private int[] Choose(double[] squared, int n, int take)
    {
        var candidates = new List<int>(RobustGuards.Indices(n));
        var chosen = new int[take];
        for (var c = 0; c < take; c++)
        {
            var scores = KrumScores.Of(squared, n, candidates.ToArray(), Math.Max(1, candidates.Count - byzantine - 2));
            var best = KrumScores.Smallest(scores, 1)[0];
            chosen[c] = candidates[best];
            candidates.RemoveAt(best);
        }

        return chosen;
    }

    /// <summary>
    /// Of θ sorted values the θ − cut nearest to their median are neighbours in rank: a window that starts at rank 0 and moves up while
    /// the value behind its upper end is nearer to the median than the value at its lower end.
    /// </summary>
    private readonly unsafe struct NearestToMedian(int count, int cut) : IColumnReduction<T>
    {
        public void Reduce(T* rows, int width, T* output)
        {
            var keep = count - cut;
            var divisor = Vector512.Create((double)keep);
            for (var j = 0; j < width; j += Wide.Count)
            {
                var column = rows + j;
                var (a0, a1) = Wide.Load(column + ((long)((count - 1) / 2) * width));
                var (b0, b1) = Wide.Load(column + ((long)(count / 2) * width));
                var median0 = (a0 * 0.5) + (b0 * 0.5);
                var median1 = (a1 * 0.5) + (b1 * 0.5);
                var (sum0, sum1) = (Vector512<double>.Zero, Vector512<double>.Zero);
                for (var r = 0; r < count; r++)
                {
                    var (low, high) = Wide.Load(column + ((long)r * width));
                    sum0 += low & Kept(column, width, r, keep, median0, upper: false);
                    sum1 += high & Kept(column, width, r, keep, median1, upper: true);
                }

                Wide.Store(sum0 / divisor, sum1 / divisor, output + j);
            }
        }

        // Rank r is in the window when the window did not move past it and moved far enough to reach it.
        private Vector512<double> Kept(T* column, int width, int r, int keep, Vector512<double> median, bool upper)
        {
            var kept = Vector512<double>.AllBitsSet;
            if (r < cut)
            {
                kept = ~Moved(column, width, r, keep, median, upper);
            }

            if (r >= keep)
            {
                kept &= Moved(column, width, r - keep, keep, median, upper);
            }

            return kept;
        }

        private static Vector512<double> Moved(T* column, int width, int rank, int keep, Vector512<double> median, bool upper)
        {
            var (low0, low1) = Wide.Load(column + ((long)rank * width));
            var (high0, high1) = Wide.Load(column + ((long)(rank + keep) * width));
            return upper ? Vector512.LessThan(high1 - median, median - low1) : Vector512.LessThan(high0 - median, median - low0);
        }
    }
}

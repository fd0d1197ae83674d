using System.Numerics;
using Federated.Aggregation.Robust.Kernels;

namespace Federated.Aggregation.Robust;

/// <summary>
/// Nearest-neighbour mixing (NNM): every update is replaced by the mean of its n − f nearest (itself among them), then another robust
/// rule combines the mixed updates. Repairs median-like rules where clients' data differ.
/// </summary>
/// <remarks>
/// Allouah, Farhadkhani, Guerraoui, Gupta, Pinot, Stephan, "Fixing by Mixing: A Recipe for Optimal Byzantine ML under Heterogeneity",
/// AISTATS 2023, Algorithm 2 (numbering from memory), https://arxiv.org/abs/2302.01772. Unweighted as in the paper.
/// Deviation: none. Equal distances go to the lower index, an update itself before all others.
/// Cost: O(d·n²) for distances and as much for mixing, then the inner rule's. Holds all n updates; for a coordinate-wise inner rule the
/// mixed ones exist one stretch at a time, else n·d more coordinates are held.
/// Tolerates what the inner rule tolerates, at most f.
/// </remarks>
public sealed class NearestNeighbourMixing<T>(NearestNeighbourMixingOptions options, IRobustRule<T> inner) : IRobustRule<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int byzantine = RobustGuards.Byzantine(options.Byzantine);

    public string Name => RobustRules.NearestNeighbourMixing;

    public int MinimumCount => Math.Max(inner.MinimumCount, checked((2 * byzantine) + 1));

    public IReadOnlyDictionary<string, Memory<T>> State => inner.State;

    public int Tolerates(int count) => count >= MinimumCount ? Math.Min(byzantine, inner.Tolerates(count)) : 0;

    public RobustOutcome Combine(HeldUpdates<T> updates, Span<T> result)
    {
        ArgumentNullException.ThrowIfNull(updates);
        updates.ThrowIfUnfit(this, result, $"2f + 1 with f = {byzantine}, and what {inner.Name} needs");
        var neighbours = Neighbours(updates);
        if (!inner.IsCoordinateWise)
        {
            var mixed = Mix(updates, neighbours, 0, updates.Dimension, updates.Threads);
            return inner.Combine(mixed, result) with { Used = updates.Count, LeftOut = [] };
        }

        CoordinateBlocks.Run(result, updates.Threads, (start, part) =>
            inner.Combine(Mix(updates, neighbours, start, part.Length, threads: 1), part));
        return new RobustOutcome(updates.Count);
    }

    private double[][] Neighbours(HeldUpdates<T> updates)
    {
        var n = updates.Count;
        var squared = PairwiseDistances.Squared(updates);
        var neighbours = new double[n][];
        for (var i = 0; i < n; i++)
        {
            var row = squared.AsSpan(i * n, n).ToArray();
            row[i] = double.NegativeInfinity;
            neighbours[i] = RobustGuards.Ones(KrumScores.Smallest(row, n - byzantine), n);
        }

        return neighbours;
    }

    private HeldUpdates<T> Mix(HeldUpdates<T> updates, double[][] neighbours, int start, int length, int threads)
    {
        var n = updates.Count;
        var slices = new ReadOnlyMemory<T>[n];
        var weights = new double[n];
        for (var i = 0; i < n; i++)
        {
            slices[i] = updates.Vectors[i].Slice(start, length);
            weights[i] = updates.Weight(i);
        }

        var source = new HeldUpdates<T>(slices) { Threads = threads };
        var mixed = new ReadOnlyMemory<T>[n];
        for (var i = 0; i < n; i++)
        {
            var vector = GC.AllocateUninitializedArray<T>(length);
            Combination.Write(source, neighbours[i], n - byzantine, vector);
            mixed[i] = vector;
        }

        return new HeldUpdates<T>(mixed, weights) { Threads = threads };
    }
}

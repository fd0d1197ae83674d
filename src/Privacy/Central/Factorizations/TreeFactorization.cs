using System.Numerics;
using Federated.Privacy.Local.Vectors;
using Federated.Privacy.Randomness;

namespace Federated.Privacy.Central.Factorizations;

/// <summary>
/// Tree aggregation: C holds one row for each completed node of the binary tree over the steps. Each prefix is decoded from dyadic nodes,
/// either from each node's own noise (naive) or from the best estimate that its completed subtree gives (Honaker, online).
/// </summary>
/// <remarks>
/// Honaker, "Efficient Use of Differentially Private Binary Trees", TPDP 2015; used by Kairouz, McMahan, Song, Thakkar, Thakurta, Xu,
/// "Practical and Private (Deep) Learning Without Sampling or Shuffling", ICML 2021, Appendix B, https://arxiv.org/abs/2103.00039.
/// <code>
/// w_h   = 1/(2 − 2^−h)                            weight of a height-h node's own noise; also the variance of its estimate
/// est_h = w_h·own_h + (1 − w_h)·(est_left + est_right)
/// noise(prefix t) = Σ over the set bits h of t of est_h
/// </code>
/// Deviation: none. sens² for one participation is ⌈log₂(n+1)⌉ (completed nodes only). Cost: 2·d normals a step on average,
/// (⌊log₂ n⌋ + 1)·d memory.
/// </remarks>
public sealed class TreeFactorization : IFactorization
{
    private readonly bool honaker;

    public TreeFactorization(int steps, bool honaker = true)
    {
        if (steps < 1)
        {
            throw new PrivacyException($"A tree needs at least one step; it has {steps}.");
        }

        (Steps, this.honaker) = (steps, honaker);
    }

    public string Name => honaker ? FactorizationNames.TreeHonaker : FactorizationNames.Tree;

    public int Steps { get; }

    /// <summary>⌊log₂ n⌋ + 1: heights of completed nodes, and the square of the single-participation sensitivity.</summary>
    public int Levels => BitOperations.Log2((uint)Steps) + 1;

    public double Sensitivity(Participation participation) => Math.Sqrt(TreeSensitivity.Squared(Steps, participation));

    public double[] ErrorVariances()
    {
        var variances = new double[Steps];
        for (var t = 1; t <= Steps; t++)
        {
            for (var bits = (uint)t; bits != 0; bits &= bits - 1)
            {
                variances[t - 1] += honaker ? OwnWeight(BitOperations.TrailingZeroCount(bits)) : 1;
            }
        }

        return variances;
    }

    public CorrelatedNoise<T> Start<T>(int dimension, IRandomSource random)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => new Noise<T>(this, dimension, random);

    /// <summary>w_h.</summary>
    internal static double OwnWeight(int height) => 1 / (2 - Math.ScaleB(1, -height));

    private sealed class Noise<T>(TreeFactorization owner, int dimension, IRandomSource random)
        : CorrelatedNoise<T>(owner.Steps, dimension, owner.Levels, random)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        private readonly T[] estimate = new T[dimension];
        private readonly T[] own = new T[dimension];

        private protected override void Advance(Span<T> increment, T[][] buffers)
        {
            // Step t closes the nodes of heights 0 … j, j the trailing ones of t: they merge into one, and the prefix swaps them for it.
            var height = BitOperations.TrailingZeroCount(~(uint)Step);
            increment.Clear();
            Draw(estimate);
            for (var h = 0; h < height; h++)
            {
                AddScaled(increment, buffers[h], -1);
                Draw(own);
                if (owner.honaker)
                {
                    // est ← w·own + (1 − w)·(est + sibling)
                    var weight = OwnWeight(h + 1);
                    AddScaled(estimate, buffers[h], 1);
                    VectorMath.Scale<T>(estimate, 1 - weight);
                    AddScaled(estimate, own, weight);
                }
                else
                {
                    own.CopyTo(estimate, 0);
                }
            }

            AddScaled(increment, estimate, 1);
            estimate.CopyTo(buffers[height], 0);
        }
    }
}

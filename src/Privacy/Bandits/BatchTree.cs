using System.Numerics;

namespace Federated.Privacy.Bandits;

/// <summary>
/// Which dyadic nodes over batches are published: after batch t (the first is 1) one of 2^h batches, h the lowest set bit of t. Every prefix is the
/// sum of the nodes of its set bits, and a user is in at most ⌊log₂ T⌋ + 1 nodes.
/// </summary>
/// <remarks>Chan, Shi, Song, ACM TISSEC 2011. Nodes that no prefix needs (right children) are never published, nor is noise drawn for them.</remarks>
public static class BatchTree
{
    /// <summary>⌊log₂ T⌋ + 1.</summary>
    public static int Levels(int batches) => BitOperations.Log2((uint)batches) + 1;

    /// <summary>h of the node that batch t completes.</summary>
    public static int Completed(int batch) => BitOperations.TrailingZeroCount((uint)batch);

    /// <summary>The heights at which a batch is in a node that will be published within T batches.</summary>
    public static IEnumerable<int> Heights(int batch, int batches)
    {
        for (var h = 0; h < Levels(batches); h++)
        {
            var index = (batch + (1 << h) - 1) >> h; // the node of height h that the batch is in, the first is 1
            if ((index & 1) != 0 && (long)index << h <= batches)
            {
                yield return h;
            }
        }
    }

    /// <summary>Nodes that make up the prefix of t batches.</summary>
    public static int NodesOf(int batch) => BitOperations.PopCount((uint)batch);
}

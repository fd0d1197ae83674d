using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Partitioning;

/// <summary>Shuffles all examples and deals them out in pieces whose sizes differ by at most one.</summary>
/// <remarks>
/// McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized Data", AISTATS 2017,
/// https://arxiv.org/abs/1602.05629, section 3 ("IID"). Deviation: none. Cost: O(examples).
/// </remarks>
public sealed class IidPartitioner : IPartitioner
{
    public string Name => Partitioners.Iid;

    public int[][] Partition(ReadOnlySpan<int> labels, int classes, int clients, SeededRandom random)
    {
        PartitionGuard.Require(Name, labels.Length, clients);
        var order = Enumerable.Range(0, labels.Length).ToArray();
        random.Shuffle(order.AsSpan());

        var shards = new int[clients][];
        var (size, larger) = Math.DivRem(labels.Length, clients);
        var start = 0;
        for (var i = 0; i < clients; i++)
        {
            var length = size + (i < larger ? 1 : 0);
            shards[i] = order.AsSpan(start, length).ToArray();
            start += length;
        }

        return shards;
    }
}

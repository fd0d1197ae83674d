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
        return Apportionment.Cut(ClassIndex.Permutation(labels.Length, random), Apportionment.Equal(labels.Length, clients));
    }
}

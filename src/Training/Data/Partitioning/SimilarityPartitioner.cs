using System.ComponentModel.DataAnnotations;
using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Partitioning;

/// <summary>Options of <see cref="SimilarityPartitioner"/>.</summary>
public sealed record SimilarityPartition : LabelPartition
{
    /// <value>s, the share of examples that are dealt out at random, in percent. The default is 10. Must be in [0, 100].</value>
    [Range(0.0, 100.0)]
    public double Percent { get; init; } = 10;
}

/// <summary>s % of the examples are dealt out at random, the rest sorted by label: one dial from single-class clients to IID.</summary>
/// <remarks>
/// Karimireddy et al., "SCAFFOLD: Stochastic Controlled Averaging for Federated Learning", ICML 2020, https://arxiv.org/abs/1910.06378,
/// section 7 ("s % similar data"), after Hsu et al. 2019. Deviation: none. Cost: O(examples).
/// </remarks>
public sealed class SimilarityPartitioner(SimilarityPartition options) : IPartitioner
{
    public string Name => Partitioners.Similarity;

    public int[][] Partition(ReadOnlySpan<int> labels, int classes, int clients, SeededRandom random)
    {
        PartitionGuard.Require(Name, labels.Length, clients);
        var order = ClassIndex.Permutation(labels.Length, random);
        var common = (int)Math.Round(options.Percent / 100 * labels.Length, MidpointRounding.AwayFromZero);

        var label = labels.ToArray();
        var sorted = order.Skip(common).OrderBy(i => label[i]).ToArray();
        var alike = Apportionment.Cut(order.AsSpan(0, common), Apportionment.Equal(common, clients));

        // The odd ones of the second part go to the last clients, those of the first to the first: sizes stay as equal as can be.
        var sizes = Apportionment.Equal(sorted.Length, clients);
        Array.Reverse(sizes);
        var apart = Apportionment.Cut(sorted, sizes);
        int[][] shards = [.. alike.Zip(apart, (a, b) => (int[])[.. a, .. b])];
        return PartitionGuard.NoneEmpty(Name, shards, "Use fewer clients.");
    }
}

using System.ComponentModel.DataAnnotations;
using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Partitioning;

/// <summary>Options of <see cref="ShardsPartitioner"/>.</summary>
public sealed record ShardsPartition : LabelPartition
{
    /// <value>How many shards each client gets. The default is 2. Must be in 1..1000000.</value>
    [Range(1, 1_000_000)]
    public int ShardsPerClient { get; init; } = 2;

    /// <value>Whether shard sizes may differ by one where the examples do not divide evenly; otherwise that is an error. The default is false.</value>
    public bool Uneven { get; init; }
}

/// <summary>
/// The pathological split: examples sorted by label, cut into equal shards, a few random shards to each client, so that most clients hold
/// two classes only.
/// </summary>
/// <remarks>
/// McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized Data", AISTATS 2017,
/// https://arxiv.org/abs/1602.05629, section 3 ("Pathological Non-IID"): 60,000 digits, 200 shards of 300, 2 per client.
/// Deviation: none (within a label the file's order is kept). Cost: O(examples).
/// </remarks>
public sealed class ShardsPartitioner(ShardsPartition options) : IPartitioner
{
    public string Name => Partitioners.Shards;

    public int[][] Partition(ReadOnlySpan<int> labels, int classes, int clients, SeededRandom random)
    {
        PartitionGuard.Require(Name, labels.Length, clients, options.ShardsPerClient);
        var shards = clients * options.ShardsPerClient;
        if (labels.Length % shards != 0 && !options.Uneven)
        {
            throw new TrainingException(
                $"Partition '{Name}': {clients} clients × {options.ShardsPerClient} shards need the number of examples to be a multiple of {shards}; "
                + $"it is {labels.Length} ({labels.Length % shards} too many). "
                + "Choose another number of clients or shardsPerClient, or set uneven: true.");
        }

        var sorted = ClassIndex.Of(labels, classes).SelectMany(members => members).ToArray();
        var pieces = Apportionment.Cut(sorted, Apportionment.Equal(labels.Length, shards));
        var order = ClassIndex.Permutation(shards, random);
        var result = new int[clients][];
        for (var k = 0; k < clients; k++)
        {
            result[k] = [.. order.Skip(k * options.ShardsPerClient).Take(options.ShardsPerClient).SelectMany(shard => pieces[shard])];
        }

        return result;
    }
}

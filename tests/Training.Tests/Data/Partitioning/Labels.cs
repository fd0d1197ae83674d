using Federated.Aggregation.Randomness;

namespace Federated.Training.Tests.Data.Partitioning;

/// <summary>Label lists for partition tests.</summary>
internal static class Labels
{
    /// <summary><paramref name="perClass"/> of each class, in random order.</summary>
    public static int[] Balanced(int classes, int perClass, ulong seed = 17)
    {
        var labels = Enumerable.Range(0, classes * perClass).Select(i => i % classes).ToArray();
        new SeededRandom(seed).Shuffle(labels.AsSpan());
        return labels;
    }

    /// <summary>counts[client][class].</summary>
    public static int[][] Count(int[][] shards, int[] labels, int classes) =>
        [.. shards.Select(shard =>
        {
            var counts = new int[classes];
            foreach (var i in shard)
            {
                counts[labels[i]]++;
            }

            return counts;
        })];

    public static void AssertExactCover(int[][] shards, int examples) =>
        Assert.Equal(Enumerable.Range(0, examples), shards.SelectMany(shard => shard).Order());
}

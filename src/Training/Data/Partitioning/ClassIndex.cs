using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Partitioning;

/// <summary>The examples of each class.</summary>
internal static class ClassIndex
{
    /// <summary>Indices of the examples of each class, ascending.</summary>
    public static int[][] Of(ReadOnlySpan<int> labels, int classes)
    {
        var counts = Counts(labels, classes);
        var index = Array.ConvertAll(counts, count => new int[count]);
        Array.Clear(counts);
        for (var i = 0; i < labels.Length; i++)
        {
            index[labels[i]][counts[labels[i]]++] = i;
        }

        return index;
    }

    /// <summary>The same, each class in random order (classes are shuffled in ascending order).</summary>
    public static int[][] Shuffled(ReadOnlySpan<int> labels, int classes, SeededRandom random)
    {
        var index = Of(labels, classes);
        foreach (var members in index)
        {
            random.Shuffle(members.AsSpan());
        }

        return index;
    }

    public static int[] Counts(ReadOnlySpan<int> labels, int classes)
    {
        var counts = new int[classes];
        foreach (var label in labels)
        {
            counts[label]++;
        }

        return counts;
    }

    /// <summary>0, 1, …, count − 1 in random order.</summary>
    public static int[] Permutation(int count, SeededRandom random)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++)
        {
            order[i] = i;
        }

        random.Shuffle(order.AsSpan());
        return order;
    }
}

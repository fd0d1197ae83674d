using System.ComponentModel.DataAnnotations;
using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Partitioning;

/// <summary>Options of <see cref="ClassesPerClientPartitioner"/>.</summary>
public sealed record ClassesPerClientPartition : LabelPartition
{
    /// <value>k, how many classes each client holds. The default is 2. Must be in 1..1000000 and at most the number of classes.</value>
    [Range(1, 1_000_000)]
    public int ClassesPerClient { get; init; } = 2;
}

/// <summary>Every client holds exactly k classes; a class is shared out evenly among the clients that hold it.</summary>
/// <remarks>
/// "#C = k" of Li et al., "Federated Learning on Non-IID Data Silos: An Experimental Study", ICDE 2022,
/// https://arxiv.org/abs/2102.02079, section IV-A. Deviation: each client takes the k classes that the fewest clients hold so far, ties at
/// random, instead of k random ones, so that every class is held and by nearly as many clients as any other.
/// Cost: O(clients · classes·log classes + examples).
/// </remarks>
public sealed class ClassesPerClientPartitioner(ClassesPerClientPartition options) : IPartitioner
{
    public string Name => Partitioners.ClassesPerClient;

    public int[][] Partition(ReadOnlySpan<int> labels, int classes, int clients, SeededRandom random)
    {
        PartitionGuard.Require(Name, labels.Length, clients, options.ClassesPerClient);
        var members = ClassIndex.Shuffled(labels, classes, random);
        var present = Enumerable.Range(0, classes).Where(c => members[c].Length > 0).ToArray();
        var k = options.ClassesPerClient;
        if (k > present.Length)
        {
            throw new TrainingException($"Partition '{Name}': {k} classes per client were asked for; the training set has examples of {present.Length}.");
        }

        if ((long)clients * k < present.Length)
        {
            throw new TrainingException(
                $"Partition '{Name}': {clients} clients × {k} classes cannot hold all {present.Length} classes; use more clients or more classes per client.");
        }

        var holders = new List<int>[classes];
        foreach (var c in present)
        {
            holders[c] = [];
        }

        for (var client = 0; client < clients; client++)
        {
            random.Shuffle(present.AsSpan());
            foreach (var c in present.OrderBy(c => holders[c].Count).Take(k).ToArray())
            {
                holders[c].Add(client);
            }
        }

        var pieces = new int[classes, clients];
        foreach (var c in present.Order())
        {
            if (holders[c].Count > members[c].Length)
            {
                throw new TrainingException(
                    $"Partition '{Name}': class {c} falls to {holders[c].Count} clients but has {members[c].Length} examples; use fewer clients or fewer classes per client.");
            }

            var sizes = Apportionment.Equal(members[c].Length, holders[c].Count);
            for (var i = 0; i < sizes.Length; i++)
            {
                pieces[c, holders[c][i]] = sizes[i];
            }
        }

        return ClassPieces.Deal(members, pieces);
    }
}

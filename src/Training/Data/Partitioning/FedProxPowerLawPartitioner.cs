using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Partitioning;

/// <summary>Options of <see cref="FedProxPowerLawPartitioner"/>; the number of clients must be a multiple of the number of classes (1000 in the paper).</summary>
public sealed record FedProxPowerLawPartition : LabelPartition;

/// <summary>FedProx's split of MNIST: every client holds two neighbouring digits, in amounts that follow a heavy-tailed law.</summary>
/// <remarks>
/// Li et al., "Federated Optimization in Heterogeneous Networks", MLSys 2020, https://arxiv.org/abs/1812.06127, appendix C.1, as in its
/// data generator. Notation: N clients, C classes, n_l examples of class l.
/// 1. Client u takes 5 examples of class (u + j) mod C for j = 0, 1.
/// 2. w(l, g, j) ~ LogNormal(0, 2) for g = 0..N/C − 1, normalised per class to sum n_l − N; client u takes ⌊w(l, u div C, j)⌋ more of
///    class l = (u + j) mod C if so many are left, else none.
/// Deviation: the generator pools the 70,000 images and holds out a tenth per client; here the training set is split and the set's own
/// test images stay pooled. Examples that nobody takes are unused, as there.
/// Cost: O(examples + clients).
/// </remarks>
public sealed class FedProxPowerLawPartitioner : IPartitioner
{
    private const int First = 5;

    public string Name => Partitioners.FedProxPowerLaw;

    public int[][] Partition(ReadOnlySpan<int> labels, int classes, int clients, SeededRandom random)
    {
        if (classes < 2 || clients % classes != 0)
        {
            throw new TrainingException($"Partition '{Name}': the number of clients must be a multiple of the {classes} classes (at least 2); it is {clients}.");
        }

        var members = ClassIndex.Of(labels, classes);
        var groups = clients / classes;
        var needed = 2 * First * groups;
        for (var l = 0; l < classes; l++)
        {
            if (members[l].Length < needed)
            {
                throw new TrainingException(
                    $"Partition '{Name}': {clients} clients need at least {needed} examples of every class; class {l} has {members[l].Length}. Use fewer clients or more data.");
            }
        }

        var shards = Enumerable.Range(0, clients).Select(_ => new List<int>()).ToArray();
        var next = new int[classes];
        for (var u = 0; u < clients; u++)
        {
            for (var j = 0; j < 2; j++)
            {
                Take((u + j) % classes, First, u);
            }
        }

        var amounts = Amounts(members, groups, needed, random);
        for (var u = 0; u < clients; u++)
        {
            for (var j = 0; j < 2; j++)
            {
                var l = (u + j) % classes;
                var amount = (int)amounts[l][(2 * (u / classes)) + j];
                if (next[l] + amount < members[l].Length)
                {
                    Take(l, amount, u);
                }
            }
        }

        return [.. shards.Select(shard => shard.ToArray())];

        void Take(int l, int count, int client)
        {
            shards[client].AddRange(members[l].AsSpan(next[l], count));
            next[l] += count;
        }
    }

    /// <summary>amounts[class][2·group + j], summing to what pass 1 leaves of the class.</summary>
    private static double[][] Amounts(int[][] members, int groups, int taken, SeededRandom random)
    {
        var amounts = new double[members.Length][];
        for (var l = 0; l < members.Length; l++)
        {
            amounts[l] = new double[2 * groups];
            for (var i = 0; i < amounts[l].Length; i++)
            {
                amounts[l][i] = random.NextLogNormal(0, 2);
            }

            var scale = (members[l].Length - taken) / amounts[l].Sum();
            for (var i = 0; i < amounts[l].Length; i++)
            {
                amounts[l][i] *= scale;
            }
        }

        return amounts;
    }
}

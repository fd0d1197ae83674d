using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Partitioning;

/// <summary>
/// Label skew drawn per client: client k has a class distribution q_k ~ Dirichlet(α·1) and a fixed size, and the clients take turns in
/// random order to draw from what is left. Every example is used exactly once.
/// </summary>
/// <remarks>
/// Hsu, Qi, Brown, "Measuring the Effects of Non-Identical Data Distribution for Federated Visual Classification", 2019,
/// https://arxiv.org/abs/1909.06335, section 3; drawn as by FedDyn (Acar et al., ICLR 2021): pick a client that is not full uniformly,
/// draw a class from its distribution among the classes that are left, take one of its examples.
/// Deviation: drawing among what is left replaces redrawing until a class has examples (same distribution, always ends); when
/// underflow leaves a client no class, it draws in proportion to what is left.
/// Cost: O(examples · classes).
/// </remarks>
public sealed class ClientDirichletPartitioner(ClientDirichletPartition options) : IPartitioner
{
    public string Name => Partitioners.ClientDirichlet;

    public int[][] Partition(ReadOnlySpan<int> labels, int classes, int clients, SeededRandom random)
    {
        var quotas = Apportionment.Draw(Name, options.Sizes, labels.Length, clients, random);
        var distributions = new double[clients][];
        for (var k = 0; k < clients; k++)
        {
            distributions[k] = random.NextDirichlet(options.Alpha, classes);
        }

        var members = ClassIndex.Shuffled(labels, classes, random);
        var left = Array.ConvertAll(members, m => m.Length);
        var shards = Array.ConvertAll(quotas, quota => new int[quota]);
        var filled = new int[clients];
        var open = Enumerable.Range(0, clients).ToList();
        while (open.Count > 0)
        {
            var position = random.NextInt(open.Count);
            var k = open[position];
            var c = DrawClass(distributions[k], left, random);
            shards[k][filled[k]++] = members[c][--left[c]];
            if (filled[k] == quotas[k])
            {
                open[position] = open[^1];
                open.RemoveAt(open.Count - 1);
            }
        }

        return shards;
    }

    private static int DrawClass(double[] distribution, int[] left, SeededRandom random)
    {
        var mass = 0.0;
        for (var c = 0; c < left.Length; c++)
        {
            mass += left[c] > 0 ? distribution[c] : 0;
        }

        var byCount = mass <= 0;
        mass = byCount ? left.Sum() : mass;
        var u = random.NextDouble() * mass;
        var last = -1;
        for (var c = 0; c < left.Length; c++)
        {
            var weight = left[c] == 0 ? 0 : byCount ? left[c] : distribution[c];
            if (weight <= 0)
            {
                continue;
            }

            last = c;
            u -= weight;
            if (u < 0)
            {
                break;
            }
        }

        return last;
    }
}

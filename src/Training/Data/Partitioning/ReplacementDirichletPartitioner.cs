using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Partitioning;

/// <summary>
/// Label skew drawn per client, with replacement: each client has a class distribution q_k ~ Dirichlet(α·1) and draws its examples from
/// it independently of the others, so clients may share examples and together need not cover the set.
/// </summary>
/// <remarks>
/// The variant of Fraboni, Vidal, Kameni, Lorenzi, "A General Theory for Federated Optimization with Asynchronous and Heterogeneous
/// Clients Updates" (FedFix), JMLR 2023, https://arxiv.org/abs/2206.10189, section 5. Its limit α = 0 is one uniformly drawn class per
/// client. Deviation: classes without examples are left out of the draw. Cost: O(clients · (classes + examples per client)).
/// </remarks>
public sealed class ReplacementDirichletPartitioner(ReplacementDirichletPartition options) : IPartitioner
{
    public string Name => Partitioners.ReplacementDirichlet;

    public int[][] Partition(ReadOnlySpan<int> labels, int classes, int clients, SeededRandom random)
    {
        if (labels.IsEmpty)
        {
            throw new TrainingException($"Partition '{Name}': the training set is empty; it needs at least one example.");
        }

        var members = Array.FindAll(ClassIndex.Of(labels, classes), m => m.Length > 0);
        var size = options.ExamplesPerClient ?? Math.Max(1, labels.Length / clients);
        var shards = new int[clients][];
        for (var k = 0; k < clients; k++)
        {
            shards[k] = new int[size];
            var shares = options.Alpha > 0 ? random.NextDirichlet(options.Alpha, members.Length) : OneClass(members.Length, random);
            for (var i = 0; i < size; i++)
            {
                var c = 0;
                for (var u = random.NextDouble() - shares[0]; u >= 0 && c < members.Length - 1;)
                {
                    u -= shares[++c];
                }

                shards[k][i] = members[c][random.NextInt(members[c].Length)];
            }
        }

        return shards;
    }

    private static double[] OneClass(int classes, SeededRandom random)
    {
        var shares = new double[classes];
        shares[random.NextInt(classes)] = 1;
        return shares;
    }
}

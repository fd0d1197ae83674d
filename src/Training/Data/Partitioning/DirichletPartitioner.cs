using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Partitioning;

/// <summary>
/// Label skew drawn per class: every class is cut over the clients in proportions p ~ Dirichlet(α·1), so both what and how much a client
/// holds vary.
/// </summary>
/// <remarks>
/// Yurochkin et al., "Bayesian Nonparametric Federated Learning of Neural Networks", ICML 2019, https://arxiv.org/abs/1905.12022, section 4;
/// as made common by NIID-Bench (Li et al., ICDE 2022, https://arxiv.org/abs/2102.02079) and FedNova: a client that already holds
/// examples/clients or more gets nothing of the next class, and everything is drawn again until the smallest client has the minimum.
/// Deviation: only the proportions are drawn again, the examples are shuffled once the sizes are accepted (same distribution); if every
/// client with a share is full, the class goes to the client with the least; the number of attempts is capped.
/// Cost: O(attempts · classes · clients + examples).
/// </remarks>
public sealed class DirichletPartitioner(DirichletPartition options) : IPartitioner
{
    public string Name => Partitioners.Dirichlet;

    public int[][] Partition(ReadOnlySpan<int> labels, int classes, int clients, SeededRandom random)
    {
        PartitionGuard.Require(Name, labels.Length, clients, options.MinExamples);
        var total = labels.Length;
        var counts = ClassIndex.Counts(labels, classes);
        var pieces = PartitionGuard.Retry(
            Name,
            options.Attempts,
            options.MinExamples,
            () => Draw(counts, total, clients, random),
            "Raise alpha, or lower clients or minExamples.");

        var members = ClassIndex.Shuffled(labels, classes, random);
        var shards = ClassPieces.Deal(members, pieces);
        foreach (var shard in shards)
        {
            random.Shuffle(shard.AsSpan());
        }

        return shards;
    }

    /// <summary>pieces[class, client]: how many examples of the class the client gets.</summary>
    private int[,] Draw(int[] counts, int total, int clients, SeededRandom random)
    {
        var pieces = new int[counts.Length, clients];
        var sizes = new int[clients];
        for (var c = 0; c < counts.Length; c++)
        {
            var shares = random.NextDirichlet(options.Alpha, clients);
            var sum = 0.0;
            for (var k = 0; k < clients; k++)
            {
                if ((long)sizes[k] * clients >= total)
                {
                    shares[k] = 0;
                }

                sum += shares[k];
            }

            if (sum <= 0)
            {
                // All that have a share are full (or the shares of the others underflowed).
                Array.Clear(shares);
                shares[Array.IndexOf(sizes, sizes.Min())] = sum = 1;
            }

            // Cut points ⌊cumulative share · class size⌋; the last piece is what is left.
            var (cumulative, from) = (0.0, 0);
            for (var k = 0; k < clients; k++)
            {
                cumulative += shares[k];
                var to = k == clients - 1 ? counts[c] : Math.Min(counts[c], (int)(cumulative / sum * counts[c]));
                pieces[c, k] = to - from;
                sizes[k] += to - from;
                from = to;
            }
        }

        return pieces;
    }
}

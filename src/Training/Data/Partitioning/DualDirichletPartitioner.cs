using System.ComponentModel.DataAnnotations;
using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Partitioning;

/// <summary>Options of <see cref="DualDirichletPartitioner"/>.</summary>
public sealed record DualDirichletPartition : LabelPartition
{
    /// <value>α₁, the total concentration of client sizes. The default is the number of clients. Must be in (0, 1000000000].</value>
    [Range(0.0, 1e9, MinimumIsExclusive = true)]
    public double? ClientAlpha { get; init; }

    /// <value>α₂, the total concentration of each client's class distribution. The default is 0.5. Must be in (0, 1000000000].</value>
    [Range(0.0, 1e9, MinimumIsExclusive = true)]
    public double ClassAlpha { get; init; } = 0.5;

    /// <value>Proportions are drawn again until every client has this many examples. The default is 1. Must be in 1..1000000000.</value>
    [Range(1, 1_000_000_000)]
    public int MinExamples { get; init; } = 1;

    /// <value>How often to draw before giving up with an error. The default is 10000. Must be in 1..1000000.</value>
    [Range(1, 1_000_000)]
    public int Attempts { get; init; } = 10_000;
}

/// <summary>Two Dirichlet draws: one for how much each client holds, one per client for what it holds.</summary>
/// <remarks>
/// The dual Dirichlet of FedCompass (Li et al., "FedCompass: Efficient Cross-Silo Federated Learning on Heterogeneous Client Devices
/// using a Computing Power Aware Scheduler", ICLR 2024, https://arxiv.org/abs/2309.14675, appendix). Notation: m clients, p the class
/// frequencies of the set; s ~ Dir(α₁/m · 1_m) the clients' weights; q_k ~ Dir(α₂ · p) client k's class distribution. Class c is cut over the
/// clients in proportion to s_k · q_k(c), so that every example is used once.
/// Deviation: written from the formula, not from the authors' code; a class that underflow leaves to nobody is cut in proportion to s.
/// Cost: O(attempts · classes · clients·log clients + examples).
/// </remarks>
public sealed class DualDirichletPartitioner(DualDirichletPartition options) : IPartitioner
{
    public string Name => Partitioners.DualDirichlet;

    public int[][] Partition(ReadOnlySpan<int> labels, int classes, int clients, SeededRandom random)
    {
        PartitionGuard.Require(Name, labels.Length, clients, options.MinExamples);
        var counts = ClassIndex.Counts(labels, classes);
        var pieces = PartitionGuard.Retry(
            Name,
            options.Attempts,
            options.MinExamples,
            () => Draw(counts, clients, random),
            "Raise clientAlpha or classAlpha, or lower clients or minExamples.");
        return ClassPieces.Deal(ClassIndex.Shuffled(labels, classes, random), pieces);
    }

    private int[,] Draw(int[] counts, int clients, SeededRandom random)
    {
        var total = counts.Sum();
        var sizeAlpha = (options.ClientAlpha ?? clients) / clients;
        var sizes = new double[clients];
        for (var k = 0; k < clients; k++)
        {
            sizes[k] = random.NextLogGamma(sizeAlpha);
        }

        sizes = Apportionment.Shares(sizes);
        var weights = new double[counts.Length][];
        for (var c = 0; c < counts.Length; c++)
        {
            weights[c] = new double[clients];
        }

        var logShares = new double[counts.Length];
        for (var k = 0; k < clients; k++)
        {
            for (var c = 0; c < counts.Length; c++)
            {
                logShares[c] = counts[c] == 0 ? double.NegativeInfinity : random.NextLogGamma(options.ClassAlpha * counts[c] / total);
            }

            var shares = Apportionment.Shares(logShares);
            for (var c = 0; c < counts.Length; c++)
            {
                weights[c][k] = sizes[k] * shares[c];
            }
        }

        var pieces = new int[counts.Length, clients];
        for (var c = 0; c < counts.Length; c++)
        {
            var sum = weights[c].Sum();
            var shares = sum > 0 ? Array.ConvertAll(weights[c], w => w / sum) : sizes;
            var cut = Apportionment.LargestRemainder(shares, counts[c]);
            for (var k = 0; k < clients; k++)
            {
                pieces[c, k] = cut[k];
            }
        }

        return pieces;
    }
}

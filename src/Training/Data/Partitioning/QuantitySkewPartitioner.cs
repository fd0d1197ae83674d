using Federated.Aggregation.Randomness;

namespace Federated.Training.Data.Partitioning;

/// <summary>Options of <see cref="QuantitySkewPartitioner"/>.</summary>
public sealed record QuantitySkewPartition : LabelPartition
{
    /// <value>How sizes are distributed. The default is lognormal with σ = 1.</value>
    public ClientSizes Sizes { get; init; } = new LogNormalSizes();
}

/// <summary>Clients differ in how much they hold, not in what: shuffled examples dealt out in pieces of random sizes.</summary>
/// <remarks>
/// Li, Diao, Chen, He, "Federated Learning on Non-IID Data Silos: An Experimental Study", ICDE 2022,
/// https://arxiv.org/abs/2102.02079, section IV-C (quantity skew). Deviation: lognormal and power-law sizes besides theirs, and a
/// guaranteed minimum instead of redrawing. Cost: O(examples + clients·log clients).
/// </remarks>
public sealed class QuantitySkewPartitioner(QuantitySkewPartition options) : IPartitioner
{
    public string Name => Partitioners.QuantitySkew;

    public int[][] Partition(ReadOnlySpan<int> labels, int classes, int clients, SeededRandom random)
    {
        var sizes = Apportionment.Draw(Name, options.Sizes, labels.Length, clients, random);
        return Apportionment.Cut(ClassIndex.Permutation(labels.Length, random), sizes);
    }
}

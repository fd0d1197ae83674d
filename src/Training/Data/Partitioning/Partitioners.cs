using System.Collections.Immutable;

namespace Federated.Training.Data.Partitioning;

/// <summary>The partitioners by name, with one line each on when to choose it.</summary>
public static class Partitioners
{
    /// <summary>The split that the data came with; choose it whenever there is one.</summary>
    public const string Natural = "natural";

    /// <summary>Every client alike; the baseline that heterogeneity is measured against.</summary>
    public const string Iid = "iid";

    /// <summary>Alike in what they hold, unlike in how much: lognormal, power-law or Dirichlet sizes.</summary>
    public const string QuantitySkew = "quantity-skew";

    /// <summary>Label skew with varying sizes, drawn per class; what most papers call Dirichlet(α).</summary>
    public const string Dirichlet = "dirichlet";

    /// <summary>Label skew with sizes of your choice, drawn per client, every example used once (Hsu et al., FedDyn).</summary>
    public const string ClientDirichlet = "dirichlet-clients";

    /// <summary>Label skew drawn per client with replacement: any number of clients of any size (FedFix).</summary>
    public const string ReplacementDirichlet = "dirichlet-replacement";

    /// <summary>Separate dials for size and label skew (FedCompass).</summary>
    public const string DualDirichlet = "dual-dirichlet";

    /// <summary>The pathological split of the FedAvg paper: two label-sorted shards per client.</summary>
    public const string Shards = "shards";

    /// <summary>Exactly k classes per client.</summary>
    public const string ClassesPerClient = "classes-per-client";

    /// <summary>s % alike, the rest sorted by label (SCAFFOLD).</summary>
    public const string Similarity = "similarity";

    /// <summary>Two neighbouring classes per client in heavy-tailed amounts (FedProx's MNIST).</summary>
    public const string FedProxPowerLaw = "fedprox-power-law";

    /// <summary>All names.</summary>
    public static ImmutableArray<string> All { get; } =
    [
        Natural, Iid, QuantitySkew, Dirichlet, ClientDirichlet, ReplacementDirichlet, DualDirichlet, Shards, ClassesPerClient, Similarity, FedProxPowerLaw,
    ];

    /// <summary>The partitioner that <paramref name="options"/> describe.</summary>
    public static IPartitioner Create(LabelPartition options) => options switch
    {
        IidPartition => new IidPartitioner(),
        QuantitySkewPartition o => new QuantitySkewPartitioner(o),
        DirichletPartition o => new DirichletPartitioner(o),
        ClientDirichletPartition o => new ClientDirichletPartitioner(o),
        ReplacementDirichletPartition o => new ReplacementDirichletPartitioner(o),
        DualDirichletPartition o => new DualDirichletPartitioner(o),
        ShardsPartition o => new ShardsPartitioner(o),
        ClassesPerClientPartition o => new ClassesPerClientPartitioner(o),
        SimilarityPartition o => new SimilarityPartitioner(o),
        FedProxPowerLawPartition => new FedProxPowerLawPartitioner(),
        _ => throw new ArgumentOutOfRangeException(nameof(options), options, "Unknown partition."),
    };
}

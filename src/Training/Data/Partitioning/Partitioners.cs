namespace Federated.Training.Data.Partitioning;

/// <summary>The partitioners by name, with one line each on when to choose it.</summary>
public static class Partitioners
{
    /// <summary>The split that the data came with; choose it whenever there is one.</summary>
    public const string Natural = "natural";

    /// <summary>Every client alike; the baseline that heterogeneity is measured against.</summary>
    public const string Iid = "iid";

    /// <summary>The partitioner that <paramref name="options"/> describe.</summary>
    public static IPartitioner Create(LabelPartition options) => options switch
    {
        IidPartition => new IidPartitioner(),
        _ => throw new ArgumentOutOfRangeException(nameof(options), options, "Unknown partition."),
    };
}

using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Federated.Training.Data.Partitioning;

/// <summary>How a training set is split over clients; configuration chooses the kind by name (see <see cref="Partitioners"/>).</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(NaturalPartition), Partitioners.Natural)]
[JsonDerivedType(typeof(IidPartition), Partitioners.Iid)]
[JsonDerivedType(typeof(QuantitySkewPartition), Partitioners.QuantitySkew)]
[JsonDerivedType(typeof(DirichletPartition), Partitioners.Dirichlet)]
[JsonDerivedType(typeof(ClientDirichletPartition), Partitioners.ClientDirichlet)]
[JsonDerivedType(typeof(ReplacementDirichletPartition), Partitioners.ReplacementDirichlet)]
[JsonDerivedType(typeof(DualDirichletPartition), Partitioners.DualDirichlet)]
[JsonDerivedType(typeof(ShardsPartition), Partitioners.Shards)]
[JsonDerivedType(typeof(ClassesPerClientPartition), Partitioners.ClassesPerClient)]
[JsonDerivedType(typeof(SimilarityPartition), Partitioners.Similarity)]
[JsonDerivedType(typeof(FedProxPowerLawPartition), Partitioners.FedProxPowerLaw)]
public abstract record PartitionOptions;

/// <summary>The split that the data came with: a hospital, a writer, a speaking role, a file. The number of clients is the data's.</summary>
public sealed record NaturalPartition : PartitionOptions;

/// <summary>A split whose number of clients is chosen.</summary>
public abstract record LabelPartition : PartitionOptions
{
    /// <value>The number of clients. The default is 10. Must be in 1..10000000 and at most the number of examples.</value>
    [Range(1, 10_000_000)]
    public int Clients { get; init; } = 10;
}

/// <summary>Options of <see cref="IidPartitioner"/>.</summary>
public sealed record IidPartition : LabelPartition;

using System.ComponentModel.DataAnnotations;
using Federated.Training.Data.Partitioning;

namespace Federated.Training.Data;

/// <summary>Which data a run trains on and how it is split over clients: the <c>data</c> section of an experiment.</summary>
public sealed record DataOptions
{
    /// <value>The name of a known set or generator (see <c>fed data list</c>). The default is <c>drawn-digits</c>, which needs no download. Give either this or <see cref="Source"/>.</value>
    public string? Set { get; init; }

    /// <value>A source described in full: files of your own, or a generator with its options. The default is none: <see cref="Set"/> names it.</value>
    public DataSourceOptions? Source { get; init; }

    /// <value>
    /// Whether every feature is shifted and scaled by its mean and standard deviation over the training set, (x − mean)/(deviation + 0.001),
    /// as FedProx does with MNIST. The default is false: pixels are in [0, 1], tables standardise by their own schema.
    /// </value>
    public bool Standardize { get; init; }

    /// <value>Use only the first so many training examples, in the set's order. The default is all. Must be at least 1.</value>
    [Range(1, int.MaxValue)]
    public int? TrainExamples { get; init; }

    /// <value>Use only the first so many test examples, in the set's order. The default is all. Must be at least 1.</value>
    [Range(1, int.MaxValue)]
    public int? TestExamples { get; init; }

    /// <value>How the training examples are split over clients. The default is the data's own split.</value>
    public PartitionOptions Partition { get; init; } = new NaturalPartition();

    /// <value>The seed that data and partition are drawn from. The default is the run's seed; set it to keep the data while the run's seed varies.</value>
    public ulong? Seed { get; init; }
}

using Federated.Aggregation.Randomness;
using Federated.Training.Data.Partitioning;
using FsCheck;
using FsCheck.Fluent;

namespace Federated.Training.Tests.Data.Partitioning;

/// <summary>What every partitioner keeps, whatever labels it meets.</summary>
public abstract class PartitionerConformanceTests
{
    protected abstract LabelPartition Options { get; }

    /// <summary>Whether every example is used exactly once.</summary>
    protected virtual bool Covers => true;

    private int[][] Partition(int[] labels, int classes, int clients, ulong seed) =>
        Partitioners.Create(Options).Partition(labels, classes, clients, new SeededRandom(seed));

    [Fact]
    public void Its_name_is_in_the_list() => Assert.Contains(Partitioners.Create(Options).Name, Partitioners.All);

    [Fact]
    public void Any_labels_give_clients_that_are_not_empty_and_cover_the_set_or_a_clear_refusal()
    {
        var inputs =
            from classes in Gen.Choose(2, 12)
            from clients in Gen.Choose(1, 40)
            from labels in Gen.ArrayOf(Gen.Choose(0, classes - 1), 240)
            from seed in Gen.Choose(0, int.MaxValue)
            select (classes, clients, labels, seed);

        Check.One(
            Config.QuickThrowOnFailure.WithReplay(20260101UL, 3UL),
            Prop.ForAll(inputs.ToArbitrary(), input =>
            {
                int[][] shards;
                try
                {
                    shards = Partition(input.labels, input.classes, input.clients, (ulong)input.seed);
                }
                catch (TrainingException e)
                {
                    return e.Message.StartsWith($"Partition '{Partitioners.Create(Options).Name}': ", StringComparison.Ordinal);
                }

                var used = shards.SelectMany(s => s).ToArray();
                return shards.Length == input.clients
                    && shards.All(s => s.Length > 0)
                    && used.All(i => i >= 0 && i < input.labels.Length)
                    && (!Covers || used.Order().SequenceEqual(Enumerable.Range(0, input.labels.Length)));
            }));
    }

    [Fact]
    public void The_same_seed_gives_the_same_partition_and_another_seed_another()
    {
        var labels = Labels.Balanced(10, 400);

        var first = Partition(labels, 10, 20, seed: 1);

        Assert.Equal(first, Partition(labels, 10, 20, seed: 1));
        Assert.NotEqual(first, Partition(labels, 10, 20, seed: 2));
    }

    [Fact]
    public void An_empty_training_set_is_refused() =>
        Assert.Throws<TrainingException>(() => Partition([], 10, 10, seed: 1));
}

public sealed class IidConformanceTests : PartitionerConformanceTests
{
    protected override LabelPartition Options => new IidPartition();
}

public sealed class QuantitySkewConformanceTests : PartitionerConformanceTests
{
    protected override LabelPartition Options => new QuantitySkewPartition();
}

public sealed class PowerLawSkewConformanceTests : PartitionerConformanceTests
{
    protected override LabelPartition Options => new QuantitySkewPartition { Sizes = new PowerLawSizes { MinExamples = 2 } };
}

public sealed class DirichletConformanceTests : PartitionerConformanceTests
{
    protected override LabelPartition Options => new DirichletPartition { MinExamples = 1, Attempts = 100 };
}

public sealed class ClientDirichletConformanceTests : PartitionerConformanceTests
{
    protected override LabelPartition Options => new ClientDirichletPartition { Alpha = 0.01, Sizes = new LogNormalSizes() };
}

public sealed class ReplacementDirichletConformanceTests : PartitionerConformanceTests
{
    protected override LabelPartition Options => new ReplacementDirichletPartition { Alpha = 0.1 };

    protected override bool Covers => false;
}

public sealed class DualDirichletConformanceTests : PartitionerConformanceTests
{
    protected override LabelPartition Options => new DualDirichletPartition { ClassAlpha = 5, Attempts = 100 };
}

public sealed class ShardsConformanceTests : PartitionerConformanceTests
{
    protected override LabelPartition Options => new ShardsPartition();
}

public sealed class UnevenShardsConformanceTests : PartitionerConformanceTests
{
    protected override LabelPartition Options => new ShardsPartition { Uneven = true, ShardsPerClient = 3 };
}

public sealed class ClassesPerClientConformanceTests : PartitionerConformanceTests
{
    protected override LabelPartition Options => new ClassesPerClientPartition();
}

public sealed class SimilarityConformanceTests : PartitionerConformanceTests
{
    protected override LabelPartition Options => new SimilarityPartition();
}

public sealed class FedProxPowerLawConformanceTests : PartitionerConformanceTests
{
    protected override LabelPartition Options => new FedProxPowerLawPartition();

    protected override bool Covers => false;
}

using Federated.Training.Data;

namespace Federated.Training.Tests.Data;

public static class PartitionSummaryTests
{
    private static readonly DataSet Set = new("toy", new float[6], [0, 1, 2, 0, 1, 2], [1], 3);

    private static PartitionSummary Of(params int[][] shards) =>
        PartitionSummary.Of(new FederatedData(Set, Set, [.. shards.Select((s, k) => new ClientShard($"client {k}", s, []))]));

    [Fact]
    public static void Counts_classes_per_client_and_what_nobody_holds()
    {
        var summary = Of([0, 3, 1], [2, 2]);

        Assert.Equal([2, 1, 0], summary[0].ToArray());
        Assert.Equal([0, 0, 2], summary[1].ToArray());
        Assert.Equal([3, 2], summary.Sizes.AsEnumerable());
        Assert.Equal(2, summary.UnusedExamples);
        Assert.Equal("client 1", summary.Clients[1]);
    }

    [Fact]
    public static void The_fingerprint_tells_splits_apart_also_by_where_clients_begin()
    {
        Assert.Equal(Of([0, 1], [2]).Fingerprint, Of([0, 1], [2]).Fingerprint);
        Assert.NotEqual(Of([0, 1], [2]).Fingerprint, Of([0], [1, 2]).Fingerprint);
        Assert.NotEqual(Of([0, 1], [2]).Fingerprint, Of([1, 0], [2]).Fingerprint);
    }
}

using System.Text.Json;
using Federated.Coordinator.Dashboard.Feed;

namespace Federated.Coordinator.Tests.Dashboard;

public class ViewFeedTests
{
    private readonly ViewFeed feed = new(new RunHeader { Id = "r", Name = "r", Strategy = "s", Source = FeedSource.Simulation });

    private static UpdatePoint Update(long assignment, int client, UpdateEnd end, int staleness = 0, string reason = "") => new()
    {
        Assignment = assignment, Client = client, BaseVersion = 3, Staleness = staleness, Steps = 10, Download = 1, Train = 8, Upload = 1,
        Weight = end == UpdateEnd.Accepted ? 2 : 0, End = end, Reason = reason, DispatchedAt = 5, EndedAt = 15,
    };

    private JsonElement Read(string stream, long after = 0)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            Assert.True(feed.TryWrite(stream, after, 100, newest: false, json));
        }

        return JsonDocument.Parse(buffer.ToArray()).RootElement;
    }

    [Fact]
    public void EveryStreamCanBeRead() => Assert.All(ViewFeed.Streams, stream => Assert.Equal(JsonValueKind.Object, Read(stream).ValueKind));

    [Fact]
    public void AnUnknownStreamIsNone()
    {
        using var json = new Utf8JsonWriter(Stream.Null);
        Assert.False(feed.TryWrite("secrets", 0, 10, newest: false, json));
    }

    [Fact]
    public void AClientIsTrainingFromItsDispatchToItsArrival()
    {
        feed.EnsureClients(2);
        feed.Begin(new TaskPoint(7, 1, 3, 10, 5));
        Assert.Equal([1], Read("clients").GetProperty("state") // Whoever never did anything is only counted.
            .EnumerateArray().Select(s => s.GetInt32()));
        feed.Arrived(7, 1, 15);
        feed.Add(Update(7, 1, UpdateEnd.Accepted, staleness: 4));
        var clients = Read("clients");
        Assert.Equal(2, clients.GetProperty("state")[0].GetInt32());
        Assert.Equal(1, clients.GetProperty("dispatched")[0].GetInt32());
        Assert.Equal(4, clients.GetProperty("staleness")[0].GetDouble());
        Assert.Equal(1, clients.GetProperty("secondsPerStep")[0].GetDouble());
    }

    [Fact]
    public void OnlyClientsThatChangedBehindAStampAreRead()
    {
        feed.EnsureClients(1000);
        feed.Add(Update(1, 10, UpdateEnd.Lost, reason: "deadline-passed"));
        var stamp = Read("clients").GetProperty("stamp").GetInt64();
        feed.Add(Update(2, 20, UpdateEnd.Rejected, reason: "stale"));
        var clients = Read("clients", stamp);
        Assert.Equal([20], clients.GetProperty("client").EnumerateArray().Select(c => c.GetInt32()));
        Assert.Equal(1000, clients.GetProperty("count").GetInt32());
    }

    [Fact]
    public void TalliesCountEveryEndOnce()
    {
        feed.Add(Update(1, 0, UpdateEnd.Accepted, staleness: 2));
        feed.Add(Update(2, 1, UpdateEnd.Accepted, staleness: 2));
        feed.Add(Update(3, 2, UpdateEnd.Lost, reason: "client-failed"));
        var tallies = Read("tallies");
        Assert.Equal([0, 0, 2], tallies.GetProperty("staleness").EnumerateArray().Select(n => n.GetInt32()));
        Assert.Equal([2, 1], tallies.GetProperty("ends").EnumerateArray().Select(e => e.GetProperty("count").GetInt32()));
    }

    [Fact]
    public void WhatARobustRuleLeftOutIsCountedWithItsReason()
    {
        feed.AddLeftOut([(3, "not the lowest Krum score"), (1, "not the lowest Krum score")]);
        var end = Assert.Single(Read("tallies").GetProperty("ends").EnumerateArray());
        Assert.Equal(("not the lowest Krum score", 2), (end.GetProperty("reason").GetString(), end.GetProperty("count").GetInt32()));
        var clients = Read("clients");
        Assert.Equal([(1, 1), (3, 1)], clients.GetProperty("client").EnumerateArray().Zip(clients.GetProperty("leftOut").EnumerateArray(), (c, n) => (c.GetInt32(), n.GetInt32())));
    }
}

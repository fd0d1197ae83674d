using Federated.Coordinator.Hosting;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting;

/// <summary>Two processes that both believe a run is theirs, as after a network partition.</summary>
[Collection(PostgresTests.Name)]
public sealed class RunHostFencing(PostgresServer server)
{
    [PostgresFact]
    public async Task TheHostThatOpenedTheRunLastOwnsItAndTheOtherStops()
    {
        var time = new ManualTime();
        var database = await server.NewDatabaseAsync();
        var entry = new RunEntry("run", time.GetUtcNow(), TestFactory.Buffered(2, 1), null);
        await using var firstStore = await Federated.Coordinator.Storage.Postgres.PostgresStore.OpenAsync(database, default);
        await using var secondStore = await Federated.Coordinator.Storage.Postgres.PostgresStore.OpenAsync(database, default);
        await using var first = await RunHost.OpenAsync(entry, new TestFactory(), firstStore, new MemoryBlobs(), time, new RunHostOptions(), default);
        Assert.Equal(HostOutcome.Done, (await first.JoinAsync("a", 1)).Outcome);
        await using var second = await RunHost.OpenAsync(entry, new TestFactory(), secondStore, new MemoryBlobs(), time, new RunHostOptions(), default);
        Assert.Equal(new ClientId(0), second.Find("a"));
        Assert.Equal(HostOutcome.Closed, (await first.JoinAsync("b", 1)).Outcome);
        Assert.Equal(HostState.Fenced, first.View.Host);
        Assert.Equal(new ClientId(1), (await second.JoinAsync("c", 1)).Client);
    }
}

using System.Text.Json;
using Federated.Coordinator.Dashboard.Feed;
using Federated.Coordinator.Dashboard.Live;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Hosting;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Dashboard;

/// <summary>What viewers are told of a run that a coordinator hosts. Disposing a feed takes in all that was told, so nothing here waits.</summary>
public sealed class HostedRunFeedTests : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private readonly ManualTime time = new();
    private readonly MortalFileSystem disk = new(new FaultyFileSystem(1));
    private RunHost host = null!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await host.DisposeAsync();

    private async Task<HostedRunFeed> OpenAsync(ReadOnlyMemory<byte> configuration, params string[] clients)
    {
        host = await RunHost.OpenAsync(
            new RunEntry("run", time.GetUtcNow(), configuration, null), new TestFactory(), new FileStore(disk), new MemoryBlobs(), time, new RunHostOptions(), default);
        foreach (var client in clients)
        {
            await host.JoinAsync(client, 10);
        }

        return new HostedRunFeed(host, new RunHeader { Id = "run", Name = "run", Strategy = "s", Source = FeedSource.Live });
    }

    private async Task<Assignment> LeaseAsync(int client) => Assert.IsType<Granted>(await host.CheckInAsync(new ClientId(client), Long, default)).Assignment;

    private async Task SubmitAsync(Assignment lease, double value = 1) =>
        Assert.IsType<UpdateTaken>(await host.SubmitAsync(TestFactory.Submission(lease, value: value), default));

    private static JsonElement Read(HostedRunFeed feed, string stream)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            Assert.True(feed.View.TryWrite(stream, 0, 1000, newest: false, json));
        }

        return JsonDocument.Parse(buffer.ToArray()).RootElement;
    }

    private static double[] Column(HostedRunFeed feed, string stream, string column) =>
        [.. Read(feed, stream).GetProperty(column).EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Null ? double.NaN : v.GetDouble())];

    [Fact]
    public async Task EveryAssignmentIsToldWithWhatBecameOfIt()
    {
        var feed = await OpenAsync(TestFactory.Buffered(2, 2), "anna", "bert");
        var (a, b) = (await LeaseAsync(0), await LeaseAsync(1));
        await SubmitAsync(a);
        await host.FailAsync(b.Id, b.Client, "no battery");
        await feed.DisposeAsync();
        Assert.Equal([(0.0, 0.0), (2, 1)], Column(feed, "updates", "end").Zip(Column(feed, "updates", "client")));
        Assert.Contains(Read(feed, "events").GetProperty("text").EnumerateArray(), e => e.GetString()!.Contains("no battery", StringComparison.Ordinal));
    }

    [Fact]
    public async Task UpdatesCarryTheirLengthAndVersionsTheirStep()
    {
        var feed = await OpenAsync(TestFactory.Buffered(2, 2), "anna", "bert");
        var (a, b) = (await LeaseAsync(0), await LeaseAsync(1));
        await SubmitAsync(a, 3);
        await SubmitAsync(b, 4);
        await feed.DisposeAsync();
        Assert.Equal([3.0, 4], Column(feed, "updates", "norm").Order());
        Assert.Equal(5, Assert.Single(Column(feed, "versions", "stepNorm")), 9); // One-hot at two places: √(3² + 4²).
        Assert.Equal((0.6 + 0.8) / 2, Assert.Single(Column(feed, "versions", "agreement")), 6);
        Assert.Equal(2, Assert.Single(Column(feed, "versions", "weightSum")), 9);
    }

    [Fact]
    public async Task ACohortIsToldWithItsMembersAndTheVersionThatItBecame()
    {
        var feed = await OpenAsync(TestFactory.Synchronous(2), "anna", "bert");
        var checkIns = new[] { host.CheckInAsync(new ClientId(0), Long, default), host.CheckInAsync(new ClientId(1), Long, default) };
        foreach (var checkIn in checkIns)
        {
            await SubmitAsync(Assert.IsType<Granted>(await checkIn).Assignment);
        }

        await feed.DisposeAsync();
        var groups = Read(feed, "groups");
        var versions = groups.GetProperty("version").EnumerateArray().Select(v => v.GetInt32()).ToList();
        var closed = versions.IndexOf(1);
        Assert.True(closed >= 0, groups.ToString());
        Assert.Equal([0, 1], groups.GetProperty("members")[closed].EnumerateArray().Select(m => m.GetInt32()).Order());
        Assert.Equal(2, groups.GetProperty("arrived")[closed].GetInt32());
    }

    [Fact]
    public async Task GroupsOfFedCompassAreToldWithTheirWindow()
    {
        var feed = await OpenAsync(TestFactory.Configuration("compass"), "anna", "bert");
        for (var turn = 0; turn < 4; turn++)
        {
            var leases = new[] { await LeaseAsync(0), await LeaseAsync(1) };
            time.Advance(5);
            foreach (var lease in leases)
            {
                await SubmitAsync(lease);
            }
        }

        await feed.DisposeAsync();
        var groups = Read(feed, "groups");
        var open = groups.GetProperty("version").EnumerateArray().ToList().FindIndex(v => v.GetInt32() == 0);
        Assert.True(open >= 0, groups.ToString());
        var (opened, expected, latest) = (groups.GetProperty("opened")[open].GetDouble(), groups.GetProperty("expected")[open].GetDouble(), groups.GetProperty("latest")[open].GetDouble());
        Assert.True(opened < expected && expected <= latest, $"{opened} {expected} {latest}");
        Assert.Contains(groups.GetProperty("version").EnumerateArray(), v => v.GetInt32() > 0);
    }

    [Fact]
    public async Task ClientsAreCalledByTheirNames()
    {
        var feed = await OpenAsync(TestFactory.Buffered(2, 2), "anna");
        await host.JoinAsync("bert", 10);
        await feed.DisposeAsync();
        Assert.Equal(["anna", "bert"], feed.View.Header.ClientNames);
        Assert.Equal(2, Read(feed, "clients").GetProperty("count").GetInt32());
        Assert.Contains(Read(feed, "events").GetProperty("text").EnumerateArray(), e => e.GetString() == "bert joined.");
    }

    [Fact]
    public async Task TheStandingIsTheRuns()
    {
        var feed = await OpenAsync(TestFactory.Buffered(1, 1), "anna");
        await SubmitAsync(await LeaseAsync(0));
        _ = await LeaseAsync(0);
        await host.CommandAsync(OperatorAction.Pause, "lunch");
        await feed.DisposeAsync();
        var standing = feed.View.Standing;
        Assert.Equal((RunStatus.Paused, 1, 1, 1), (standing.Status, standing.Version, (int)standing.Accepted, (int)standing.InFlight));
        Assert.Contains(Read(feed, "events").GetProperty("text").EnumerateArray(), e => e.GetString() == "Operator: pause. lunch");
    }

    [Fact]
    public async Task UnderAPrivacyPolicyNothingIsMeasuredOfUpdates()
    {
        var feed = await OpenAsync(TestFactory.Configuration("private 2 2 5 10"), "anna", "bert");
        var (a, b) = (await LeaseAsync(0), await LeaseAsync(1));
        await SubmitAsync(a, 3);
        await SubmitAsync(b, 4);
        await feed.DisposeAsync();
        Assert.Equal([double.NaN, double.NaN], Column(feed, "updates", "norm"));
        Assert.True(double.IsNaN(Assert.Single(Column(feed, "versions", "agreement"))));
        Assert.True(double.IsNaN(Assert.Single(Column(feed, "versions", "stepNorm"))));
    }

    [Fact]
    public async Task NothingIsMeasuredWhileNobodyLooks()
    {
        host = await RunHost.OpenAsync(
            new RunEntry("run", time.GetUtcNow(), TestFactory.Buffered(1, 1), null), new TestFactory(), new FileStore(disk), new MemoryBlobs(), time, new RunHostOptions(), default);
        using var notices = host.Subscribe(100);
        await host.JoinAsync("anna", 10);
        await SubmitAsync(await LeaseAsync(0));
        notices.Dispose();
        await foreach (var notice in notices.Reader.ReadAllAsync())
        {
            Assert.Empty(notice.Facts);
        }
    }
}

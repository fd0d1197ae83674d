using System.Text.Json;
using Federated.Coordinator.Dashboard.Feed;
using Federated.Coordinator.Dashboard.Live;
using Federated.Coordinator.Runs;

namespace Federated.Coordinator.Tests.Dashboard;

public class FeedBroadcasterTests
{
    private static readonly RunHeader Header = new() { Id = "r", Name = "r", Strategy = "s", Source = FeedSource.Live };

    private static MetricsPoint Point(int version) => new(version, version, version, version, 0.5, double.NaN, 0, 0, 0, 0, double.NaN);

    private static async Task<JsonElement> NextAsync(IAsyncEnumerator<FeedFrame> frames)
    {
        Assert.True(await frames.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(2)));
        return JsonDocument.Parse(frames.Current.Json).RootElement;
    }

    [Fact]
    public async Task TheFirstFrameComesAtOnceAndLaterOnesBringWhatIsNew()
    {
        var feed = new ViewFeed(Header);
        feed.Add(Point(0));
        var traffic = new HubTraffic();
        using var over = new CancellationTokenSource();
        await using var frames = new FeedBroadcaster(feed, TimeProvider.System, traffic).Watch(FeedTopics.Curves, over.Token).GetAsyncEnumerator(over.Token);
        var first = await NextAsync(frames);
        Assert.Equal("created", first.GetProperty("standing").GetProperty("status").GetString());
        Assert.False(first.TryGetProperty("metrics", out _)); // History is read over HTTP.
        Assert.Equal(1, traffic.Viewers);

        feed.Add(Point(1));
        feed.Standing = new RunStanding { Status = RunStatus.Running, Version = 1 };
        var metrics = (await NextAsync(frames)).GetProperty("metrics");
        Assert.Equal(1, metrics.GetProperty("after").GetInt64());
        Assert.Equal(2, metrics.GetProperty("seq")[0].GetInt64());
        Assert.Equal(JsonValueKind.Null, metrics.GetProperty("loss")[0].ValueKind); // NaN is no JSON.
        await over.CancelAsync();
    }

    [Fact]
    public async Task AViewerThatDoesNotReadIsSparedFramesAndSeesTheGap()
    {
        var feed = new ViewFeed(Header);
        var traffic = new HubTraffic();
        using var over = new CancellationTokenSource();
        await using var frames = new FeedBroadcaster(feed, TimeProvider.System, traffic).Watch(FeedTopics.Curves, over.Token).GetAsyncEnumerator(over.Token);
        await NextAsync(frames);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        for (var version = 0; traffic.Dropped == 0; version++)
        {
            feed.Add(Point(version));
            await Task.Delay(20, limit.Token);
        }

        var after = (await NextAsync(frames)).GetProperty("metrics").GetProperty("after").GetInt64();
        Assert.True(after > 0, "the frame that was kept should follow on from points that this viewer never saw");
        await over.CancelAsync();
    }

    [Fact]
    public async Task WhoLeavesIsForgotten()
    {
        var traffic = new HubTraffic();
        using var over = new CancellationTokenSource();
        await using (var frames = new FeedBroadcaster(new ViewFeed(Header), TimeProvider.System, traffic).Watch(FeedTopics.All, over.Token).GetAsyncEnumerator(over.Token))
        {
            await NextAsync(frames);
        }

        Assert.Equal(0, traffic.Viewers);
    }
}

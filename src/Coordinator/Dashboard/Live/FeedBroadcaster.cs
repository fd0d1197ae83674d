using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Federated.Coordinator.Dashboard.Feed;

namespace Federated.Coordinator.Dashboard.Live;

/// <summary>
/// Turns one run's feed into frames, at most ten per second, while somebody watches. A frame is written once per set of topics, however
/// many viewers there are, and put into each viewer's own bounded channel; a viewer that does not keep up loses its oldest frames and
/// reads the gap over HTTP.
/// </summary>
/// <remarks>Cost: one read of the feed per frame, one JSON document per set of topics in use, one channel write per viewer.</remarks>
internal sealed class FeedBroadcaster(ViewFeed feed, TimeProvider clock, HubTraffic traffic)
{
    /// <summary>Points of one stream in one frame; a viewer that wants more reads them over HTTP.</summary>
    private const int MostPoints = 400;

    private const int MostWaitingFrames = 8;

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    private readonly Lock gate = new();
    private readonly List<Viewer> viewers = [];
    private bool isRunning;

    private sealed record Viewer(FeedTopics Topics, Channel<FeedFrame> Frames);

    /// <summary>Frames from now on; the first one, at once, says where the run stands.</summary>
    public async IAsyncEnumerable<FeedFrame> Watch(FeedTopics topics, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var viewer = new Viewer(topics, Channel.CreateBounded<FeedFrame>(
            new BoundedChannelOptions(MostWaitingFrames) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true, SingleWriter = false },
            _ => traffic.Spared()));
        traffic.Joined();
        Join(viewer);
        try
        {
            await foreach (var frame in viewer.Frames.Reader.ReadAllAsync(cancellation))
            {
                yield return frame;
            }
        }
        finally
        {
            lock (gate)
            {
                viewers.Remove(viewer);
            }

            traffic.Left();
        }
    }

    private void Join(Viewer viewer)
    {
        // Subscribed before the first frame goes out: whatever is appended from here on comes in a frame or, read over HTTP, with the history.
        var from = feed.Read(default, FeedTopics.None, 0, out _);
        _ = feed.Read(new FeedCursor(long.MaxValue, long.MaxValue, long.MaxValue, long.MaxValue, long.MaxValue), viewer.Topics, 0, out var batch);
        viewer.Frames.Writer.TryWrite(Frame(batch, viewer.Topics));
        lock (gate)
        {
            viewers.Add(viewer);
            if (!isRunning)
            {
                isRunning = true;
                _ = Task.Run(() => Pump(from));
            }
        }
    }

    private async Task Pump(FeedCursor cursor)
    {
        using var timer = new PeriodicTimer(Period, clock);
        var told = -1L;
        while (await timer.WaitForNextTickAsync())
        {
            var topics = FeedTopics.None;
            Viewer[] all;
            lock (gate)
            {
                if (viewers.Count == 0)
                {
                    isRunning = false;
                    return;
                }

                all = [.. viewers];
            }

            var stamp = feed.Stamp;
            if (stamp == told)
            {
                continue;
            }

            told = stamp;
            foreach (var viewer in all)
            {
                topics |= viewer.Topics;
            }

            cursor = feed.Read(cursor, topics, MostPoints, out var batch);
            foreach (var same in all.GroupBy(viewer => viewer.Topics))
            {
                var frame = Frame(batch, same.Key);
                var count = 0;
                foreach (var viewer in same)
                {
                    viewer.Frames.Writer.TryWrite(frame);
                    count++;
                }

                traffic.Sent(count, frame.Json.Length);
            }
        }
    }

    private static FeedFrame Frame(FeedBatch batch, FeedTopics topics)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            batch.Write(json, topics);
        }

        return new FeedFrame(stream.ToArray());
    }
}

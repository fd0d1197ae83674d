using Federated.Coordinator.Dashboard.Feed;
using Microsoft.AspNetCore.SignalR;

namespace Federated.Coordinator.Dashboard.Live;

/// <summary>
/// <c>/hubs/runs</c>: one method, <c>Watch</c>, which streams a run's frames to one viewer. History, and whatever a viewer missed, comes
/// over HTTP.
/// </summary>
public sealed class RunHub(ViewFeeds feeds) : Hub
{
    private const int MostStreams = 8;

    /// <param name="run">The run's id.</param>
    /// <param name="topics">Members of <see cref="FeedTopics"/>, in any case.</param>
    /// <exception cref="HubException">No such run or topic, or too many streams over one connection.</exception>
    public IAsyncEnumerable<FeedFrame> Watch(string run, string[] topics, CancellationToken cancellation)
    {
        if (!feeds.TryGetBroadcaster(run, out var broadcaster))
        {
            throw new HubException($"There is no run '{run}' here; GET /v1/dashboard lists the runs.");
        }

        var asked = FeedTopics.None;
        foreach (var topic in topics ?? [])
        {
            asked |= Enum.TryParse<FeedTopics>(topic, ignoreCase: true, out var known)
                ? known
                : throw new HubException($"There is no topic '{topic}'; there are {string.Join(", ", Enum.GetNames<FeedTopics>())}.");
        }

        return Counted(broadcaster.Watch(asked, cancellation));
    }

    // A broken page that opens streams without closing them would otherwise cost the server one channel each.
    private IAsyncEnumerable<FeedFrame> Counted(IAsyncEnumerable<FeedFrame> frames)
    {
        var open = (StreamCount)(Context.Items[nameof(StreamCount)] ??= new StreamCount());
        if (Interlocked.Increment(ref open.Value) > MostStreams)
        {
            Interlocked.Decrement(ref open.Value);
            throw new HubException($"One connection may watch {MostStreams} runs at a time; close a stream first.");
        }

        return Enumerate();

        async IAsyncEnumerable<FeedFrame> Enumerate()
        {
            try
            {
                await foreach (var frame in frames)
                {
                    yield return frame;
                }
            }
            finally
            {
                Interlocked.Decrement(ref open.Value);
            }
        }
    }

    private sealed class StreamCount
    {
        public int Value;
    }
}

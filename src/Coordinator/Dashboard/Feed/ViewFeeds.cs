using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using Federated.Coordinator.Dashboard.Live;

namespace Federated.Coordinator.Dashboard.Feed;

/// <summary>The runs that can be watched here, in the order in which they were added.</summary>
/// <param name="clock">Paces frames.</param>
public sealed class ViewFeeds(TimeProvider clock)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Entry> entries = [];
    private readonly List<string> order = [];

    /// <summary>Differs between processes: a page that reconnects to another one starts its streams afresh.</summary>
    public string Instance { get; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    /// <summary>Frames and viewers of all runs together.</summary>
    public HubTraffic Traffic { get; } = new();

    /// <param name="control">Null for a run that nobody can act on here.</param>
    /// <exception cref="CoordinatorException">The id is taken.</exception>
    public void Add(ViewFeed feed, IRunControl? control = null)
    {
        ArgumentNullException.ThrowIfNull(feed);
        AddLazily(feed.Header.Id, new Lazy<ViewFeed>(feed), control);
    }

    /// <summary>A run that is read when somebody first looks at it.</summary>
    /// <exception cref="CoordinatorException">The id is taken.</exception>
    public void AddLazily(string id, Lazy<ViewFeed> feed, IRunControl? control = null)
    {
        lock (gate)
        {
            if (!entries.TryAdd(id, new Entry(feed, control, new Lazy<FeedBroadcaster>(() => new FeedBroadcaster(feed.Value, clock, Traffic)))))
            {
                throw new CoordinatorException($"There is a run {id} already; give this one another id.");
            }

            order.Add(id);
        }
    }

    /// <summary>The run is not told of any longer; whoever watches it keeps what it has.</summary>
    public bool Remove(string id)
    {
        lock (gate)
        {
            order.Remove(id);
            return entries.Remove(id);
        }
    }

    public bool TryGet(string id, [NotNullWhen(true)] out ViewFeed? feed)
    {
        feed = Find(id)?.Feed.Value;
        return feed is not null;
    }

    /// <summary>Whether there is such a run, and how to act on it.</summary>
    public bool TryGetControl(string id, out IRunControl? control)
    {
        var entry = Find(id);
        control = entry?.Control;
        return entry is not null;
    }

    internal bool TryGetBroadcaster(string id, [NotNullWhen(true)] out FeedBroadcaster? broadcaster)
    {
        broadcaster = Find(id)?.Broadcaster.Value;
        return broadcaster is not null;
    }

    /// <summary>All runs, newest first, as cards.</summary>
    internal void WriteCards(Utf8JsonWriter json)
    {
        List<Entry> all;
        lock (gate)
        {
            all = [.. order.Select(id => entries[id])];
        }

        json.WriteStartArray();
        foreach (var entry in Enumerable.Reverse(all))
        {
            entry.Feed.Value.WriteCard(json);
        }

        json.WriteEndArray();
    }

    private Entry? Find(string id)
    {
        lock (gate)
        {
            return entries.GetValueOrDefault(id);
        }
    }

    private sealed record Entry(Lazy<ViewFeed> Feed, IRunControl? Control, Lazy<FeedBroadcaster> Broadcaster);
}

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Grains;
using Federated.Protocol;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>What one silo knows of a run that may live on another: its view, evaluations and clients, and what happens in it, for those who watch.</summary>
/// <remarks>News come in any order, twice, or not at all: each says where it begins, so that what is known is never wrong, only behind. Thread-safe.</remarks>
internal sealed class RunMirror
{
    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<string, ClientId> numbers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, string> names = [];
    private ImmutableArray<RunFeed> feeds = [];
    private volatile ImmutableList<MetricPoint> metrics = [];
    private volatile IReadOnlyList<ClientScore> scores = [];
    private volatile RunView view = new() { Host = HostState.Open };
    private volatile string silo = "";
    private int namesKnown;
    private long lastNotice = -1;

    /// <summary>Whether anything has been heard of the run.</summary>
    public bool IsHeard { get; private set; }

    public RunView View => view;

    public int Lobby { get; private set; }

    public IReadOnlyList<MetricPoint> Metrics => metrics;

    public IReadOnlyList<ClientScore> Scores => scores;

    /// <summary>Where the run was last heard of; empty before.</summary>
    public string Silo => silo;

    public NewsMark Mark
    {
        get
        {
            lock (gate)
            {
                return new NewsMark(metrics.Count, namesKnown);
            }
        }
    }

    public ClientId? Find(string member) => numbers.TryGetValue(member, out var client) ? client : null;

    public string NameOf(ClientId client) => names.GetValueOrDefault(client.Value, "");

    public void Met(string member, ClientId client)
    {
        numbers[member] = client;
        names[client.Value] = member;
    }

    public void Saw(RunView seen, int lobby)
    {
        lock (gate)
        {
            IsHeard = true;
            Lobby = lobby;
            if (seen.Sequence >= view.Sequence)
            {
                // That its host is opening, or has let it go, is a matter of the moment: whoever asks the run is told.
                view = (seen.Host is HostState.Failed or HostState.Damaged) ? seen : seen with { Host = HostState.Open };
            }
        }
    }

    /// <returns>Whether something is missing that should be asked for.</returns>
    public bool Take(RunNews news)
    {
        lock (gate)
        {
            Saw(news.View, news.Lobby);
            silo = news.Silo;
            var known = metrics.Count;
            if (news.From.Metrics <= known && news.From.Metrics + news.Metrics.Length > known)
            {
                metrics = metrics.AddRange(news.Metrics.Skip(known - news.From.Metrics));
                scores = news.Scores ?? scores;
            }

            for (var i = 0; i < news.Names.Length; i++)
            {
                if (news.Names[i].Length > 0)
                {
                    Met(news.Names[i], new ClientId(news.From.Names + i));
                }
            }

            if (news.From.Names <= namesKnown)
            {
                namesKnown = Math.Max(namesKnown, news.From.Names + news.Names.Length);
            }

            foreach (var notice in news.Notices)
            {
                Tell(notice);
            }

            return news.From.Metrics > metrics.Count || news.From.Names > namesKnown || namesKnown < view.Clients;
        }
    }

    public RunFeed Subscribe(int capacity)
    {
        var feed = new RunFeed(capacity, left => ImmutableInterlocked.Update(ref feeds, present => present.Remove(left)));
        ImmutableInterlocked.Update(ref feeds, present => present.Add(feed));
        return feed;
    }

    public void Close()
    {
        foreach (var feed in feeds)
        {
            feed.Close();
        }
    }

    private void Tell(RunNotice notice)
    {
        if (notice.Sequence <= lastNotice)
        {
            return;
        }

        var missed = lastNotice < 0 ? 0 : notice.Sequence - lastNotice - 1;
        lastNotice = notice.Sequence;
        foreach (var feed in feeds)
        {
            feed.Miss(missed);
            feed.Give(notice);
        }
    }
}

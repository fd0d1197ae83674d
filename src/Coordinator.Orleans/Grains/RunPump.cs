using Federated.Coordinator.Hosting;
using Orleans.Utilities;

namespace Federated.Coordinator.Orleans.Grains;

/// <summary>Sends a run's news to its observers while there are any, at most ten times a second. Made and run in the grain's own context.</summary>
internal sealed class RunPump
{
    private const int NoticesAtOnce = 1024;
    private const int NamesAtOnce = 20_000;

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    private readonly ObserverManager<IRunObserver> observers;
    private readonly string silo;
    private readonly TimeProvider clock;
    private readonly RunFeed feed;

    public RunPump(RunHost run, ObserverManager<IRunObserver> observers, string silo, TimeProvider clock)
    {
        (Run, this.observers, this.silo, this.clock) = (run, observers, silo, clock);
        feed = run.Subscribe(NoticesAtOnce * 8);
        IsRunning = true;
        _ = PumpAsync();
    }

    public RunHost Run { get; }

    public bool IsRunning { get; private set; }

    public void Stop() => feed.Dispose();

    /// <summary>What somebody lacks who has so much; of very many names only the next ones.</summary>
    public static RunNews Since(RunHost run, NewsMark have, RunNotice[] notices, string silo)
    {
        var (view, points) = (run.View, run.Metrics);
        var from = new NewsMark(Math.Min(have.Metrics, points.Count), Math.Min(have.Names, view.Clients));
        var names = new string[Math.Min(NamesAtOnce, view.Clients - from.Names)];
        for (var i = 0; i < names.Length; i++)
        {
            names[i] = run.NameOf(new Federated.Protocol.ClientId(from.Names + i));
        }

        MetricPoint[] metrics = [.. points.Skip(from.Metrics)];
        var scores = metrics.Any(point => point.Spread is not null) ? run.LastScores.ToArray() : null;
        return new RunNews(view, run.LobbyCount, from, metrics, names, scores, notices, silo, run.Entry.CreatedAt.UtcTicks);
    }

    private async Task PumpAsync()
    {
        var have = new NewsMark(Run.Metrics.Count, Run.View.Clients);
        try
        {
            while (await feed.Reader.WaitToReadAsync())
            {
                await Task.Delay(Period, clock); // What comes in a burst goes in one message, with the view after it.
                observers.ClearExpired();
                if (observers.Count == 0)
                {
                    break;
                }

                List<RunNotice> notices = [];
                while (notices.Count < NoticesAtOnce && feed.Reader.TryRead(out var notice))
                {
                    notices.Add(notice);
                }

                var news = Since(Run, have, [.. notices], silo);
                have = new NewsMark(news.From.Metrics + news.Metrics.Length, news.From.Names + news.Names.Length);
                await observers.Notify(observer => observer.NewsAsync(news));
            }
        }
        finally
        {
            IsRunning = false;
            feed.Dispose();
        }
    }
}

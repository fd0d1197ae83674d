using Federated.Coordinator.Dashboard.Feed;
using Federated.Coordinator.Dashboard.Live;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Federated.Coordinator.Dashboard.Http;

/// <summary>The dashboard beside a coordinator, on its origin and with its tokens: viewers look, operators act by the coordinator's own endpoints.</summary>
/// <param name="assets">The built pages.</param>
/// <param name="describe">What a run's configuration tells people.</param>
/// <param name="version">Of this program, for people to see.</param>
/// <param name="schema">JSON schema of runs' configurations, for the form.</param>
public sealed class DashboardExtension(DashboardAssets assets, Func<RunEntry, RunHeader> describe, string version, string schema = "") : IServerExtension
{
    public void AddServices(WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddDashboard(assets, new DashboardOptions { Version = version, CanCreate = true, HostTellsPrivacy = true, Schema = schema, IsOperator = http => http.Features.Get<Principal>()?.Role == Role.Operator });
    }

    public void Map(WebApplication app) => app.MapDashboard();

    public Task<IAsyncDisposable> OpenedAsync(IServiceProvider services, IRuns runs, CancellationToken cancellation)
    {
        services.GetRequiredService<SystemSampler>().Silos = () => runs.Silos;
        return Task.FromResult<IAsyncDisposable>(new Companion(services.GetRequiredService<ViewFeeds>(), runs, describe, services.GetRequiredService<TimeProvider>()));
    }

    /// <summary>A feed for every run that the registry has, from its creation to its deletion.</summary>
    private sealed class Companion : IAsyncDisposable
    {
        private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

        private readonly ViewFeeds feeds;
        private readonly IRuns runs;
        private readonly Func<RunEntry, RunHeader> describe;
        private readonly TimeProvider clock;
        private readonly CancellationTokenSource stopping = new();
        private readonly Dictionary<IRun, HostedRunFeed> watched = [];
        private readonly Task following;

        public Companion(ViewFeeds feeds, IRuns runs, Func<RunEntry, RunHeader> describe, TimeProvider clock)
        {
            (this.feeds, this.runs, this.describe, this.clock) = (feeds, runs, describe, clock);
            following = Task.Run(FollowAsync);
        }

        public async ValueTask DisposeAsync()
        {
            await stopping.CancelAsync().ConfigureAwait(false);
            await following.ConfigureAwait(false);
            foreach (var feed in watched.Values)
            {
                await feed.DisposeAsync().ConfigureAwait(false);
            }

            stopping.Dispose();
        }

        private async Task FollowAsync()
        {
            using var timer = new PeriodicTimer(Period, clock);
            try
            {
                do
                {
                    await ReconcileAsync().ConfigureAwait(false);
                }
                while (await timer.WaitForNextTickAsync(stopping.Token).ConfigureAwait(false));
            }
            catch (OperationCanceledException)
            {
                // The server stops.
            }
        }

        private async Task ReconcileAsync()
        {
            var present = runs.Runs.ToHashSet();
            foreach (var gone in watched.Keys.Where(run => !present.Contains(run)).ToList())
            {
                feeds.Remove(gone.Entry.Id);
                watched.Remove(gone, out var feed);
                await feed!.DisposeAsync().ConfigureAwait(false);
            }

            foreach (var feed in watched.Values)
            {
                feed.Refresh();
            }

            // A run of another silo of which nothing has been heard yet has nothing to show.
            foreach (var run in present.Where(run => !watched.ContainsKey(run) && (run.View.Sequence > 0 || run.View.Host != HostState.Open)).OrderBy(run => run.Entry.CreatedAt))
            {
                var feed = new HostedRunFeed(run, describe(run.Entry) with { Id = run.Entry.Id, Source = FeedSource.Live });
                watched.Add(run, feed);
                feeds.Add(feed.View);
            }
        }
    }
}

using System.Net;
using System.Text;
using Federated.Benchmarks.Hosting;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace Federated.Benchmarks.Cluster;

/// <summary>Silos of one process that talk over loopback, and the front door of each.</summary>
internal sealed class BenchSilos : IAsyncDisposable
{
    private const int FirstSiloPort = 21111, FirstGatewayPort = 41111;

    private static int started;

    private readonly List<IHost> hosts = [];

    public IReadOnlyList<ClusterRuns> Doors => [.. hosts.Select(h => h.Services.GetRequiredService<ClusterRuns>())];

    public IGrainFactory Grains => hosts[0].Services.GetRequiredService<IGrainFactory>();

    public static async Task<BenchSilos> StartAsync(int silos, IStore store, FrontDoorOptions? frontDoor = null, RunHostOptions? runs = null)
    {
        var made = new BenchSilos();
        var shift = ((Environment.ProcessId % 500) + (500 * (Interlocked.Increment(ref started) % 2))) * 8; // Two benchmarks may run side by side, each with two clusters.
        for (var i = 0; i < silos; i++)
        {
            var builder = Host.CreateApplicationBuilder();
            builder.Logging.ClearProviders();
            var number = i;
            builder.UseOrleans(silo => silo
                .UseLocalhostClustering(FirstSiloPort + shift + number, FirstGatewayPort + shift + number, new IPEndPoint(IPAddress.Loopback, FirstSiloPort + shift))
                .UseInMemoryReminderService()
                .Configure<GrainCollectionOptions>(o => o.CollectionAge = TimeSpan.FromHours(2))
                .AddFederatedRuns(store, new BenchFactory(), runs ?? new RunHostOptions { RecoveryGrace = 0 }, frontDoor ?? new FrontDoorOptions()));
            var host = builder.Build();
            made.hosts.Add(host);
            await host.StartAsync().ConfigureAwait(false);
        }

        foreach (var door in made.Doors)
        {
            await door.StartAsync(default).ConfigureAwait(false);
        }

        return made;
    }

    /// <summary>One run at every front door.</summary>
    public async Task<ClusterRun[]> CreateAsync(string id, string configuration)
    {
        await Doors[0].CreateAsync(id, Encoding.UTF8.GetBytes(configuration), default).ConfigureAwait(false);
        var runs = new List<ClusterRun>();
        foreach (var door in Doors)
        {
            runs.Add((await door.FindAsync(id, default).ConfigureAwait(false))!);
        }

        return [.. runs];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var door in Doors)
        {
            await door.CloseAsync().ConfigureAwait(false);
        }

        for (var i = hosts.Count - 1; i >= 0; i--)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            await hosts[i].StopAsync(limit.Token).ConfigureAwait(false);
            hosts[i].Dispose();
        }
    }
}

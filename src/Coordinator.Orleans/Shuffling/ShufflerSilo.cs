using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Storage;
using Federated.Shuffler;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Federated.Coordinator.Orleans.Shuffling;

/// <summary>One process of a shuffler that has several: a silo of the shuffler's own cluster, over its operator's own database.</summary>
public static class ShufflerSilo
{
    /// <summary>Longest report that fits into a message between silos.</summary>
    public const int MaxReportBytes = 64 << 20;

    /// <summary>Joins the cluster.</summary>
    /// <param name="store">Shared with the other processes; the shuffler's from here on.</param>
    /// <param name="keys">The same in all processes.</param>
    /// <param name="handler">Reaches the destination; the shuffler's from here on.</param>
    /// <returns>The shuffler, for this process's front door; disposing it leaves the cluster.</returns>
    /// <exception cref="ShufflerException">The other processes have other keys, or the shuffler is to be the second of a cascade.</exception>
    /// <exception cref="StorageException">The database cannot be reached.</exception>
    /// <exception cref="CoordinatorException">Other machines could reach the silo as if they were silos, or its certificate cannot be used.</exception>
    public static async Task<IShuffler> StartAsync(
        SiloOptions silo, IStore store, ShufflerOptions options, ShufflerKeys keys, HttpMessageHandler handler, TimeProvider clock, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(silo);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(store);
        IHost? host = null;
        try
        {
            if (options.PreviousKey.Length > 0)
            {
                throw new ShufflerException(
                    "The second shuffler of a cascade has one process: it takes whole batches, which are more than the messages between silos hold. Start it without --store postgres:….");
            }

            var certificate = SiloTls.Choose(silo, options.DataDirectory, clock);
            await OrleansTables.PrepareAsync(silo.Connection, cancellation).ConfigureAwait(false);
            var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
            builder.Logging.ClearProviders(); // Not even a framework's line about a call.
            builder.Services.AddSingleton(clock);
            builder.Services.AddSingleton<IHostLifetime, Lifetime>();
            builder.UseOrleans(orleans =>
            {
                orleans.AddFederatedShuffler(store, options, keys, handler);
                SiloClustering.Configure(orleans, silo, certificate);
            });
            host = builder.Build();
            await host.StartAsync(cancellation).ConfigureAwait(false);
            var shuffler = await ClusterShuffler.OpenAsync(host.Services.GetRequiredService<IGrainFactory>(), options.Name, keys, clock, cancellation).ConfigureAwait(false);
            shuffler.Leaving = () => LeaveAsync(host, store);
            return shuffler;
        }
        catch
        {
            await LeaveAsync(host, store).ConfigureAwait(false);
            throw;
        }
    }

    private static async Task LeaveAsync(IHost? host, IStore store)
    {
        if (host is not null)
        {
            await host.StopAsync().ConfigureAwait(false);
            host.Dispose();
        }

        await store.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Signals are the command's business, which disposes the shuffler.</summary>
    private sealed class Lifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

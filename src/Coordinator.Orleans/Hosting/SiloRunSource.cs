using System.Diagnostics.CodeAnalysis;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Orleans.Identity;
using Federated.Coordinator.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>Makes a coordinator's server one silo of a cluster: any silo's front door serves any run.</summary>
/// <remarks>
/// Starting: the silo joins the cluster, the server listens, the runs are learnt, it is ready. Stopping: not ready, long polls are let go, the
/// server ends the requests under way, the silo closes its runs and leaves; others take them over.
/// </remarks>
/// <param name="store">Shared with the other silos; owned by the server.</param>
/// <exception cref="CoordinatorException">Other machines could reach the silo as if they were silos, or its certificate cannot be used.</exception>
[SuppressMessage("Design", "CA1001", Justification = "The identities are the server's, which disposes them.")]
public sealed class SiloRunSource(SiloOptions silo, CoordinatorOptions server, IStore store, IRunFactory factory, TimeProvider clock) : IRunSource
{
    private readonly ClusterIdentities identities = new(server.Identity, silo.FrontDoor, clock);
    private readonly ClusterCertificate? certificate = SiloTls.Choose(silo, server.DataDirectory, clock);

    public IIdentities Identities => identities;

    public string Instance => silo.Name;

    public TimeSpan? SharedLease => silo.FrontDoor.StandingLease;

    public IReadOnlyList<string> Meters => ["Microsoft.Orleans"];

    /// <summary>Makes the cluster's tables when the database does not have them.</summary>
    /// <exception cref="StorageException">The database cannot be reached, or its user may not make tables.</exception>
    public Task PrepareAsync(CancellationToken cancellation) => silo.Connection.Length > 0 ? OrleansTables.PrepareAsync(silo.Connection, cancellation) : Task.CompletedTask;

    public void AddServices(WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Logging.AddFilter("Orleans", LogLevel.Error); // A silo that dies costs dozens of warnings; that it did is logged once, in our words.
        builder.Services.AddSingleton(server.Identity);
        builder.UseOrleans(Configure);
    }

    public async Task<IRuns> OpenAsync(IServiceProvider services, Action<RunHost>? opened, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (opened is not null)
        {
            services.GetRequiredService<RunHosting>().Watch(opened);
        }

        await identities.OpenAsync(services.GetRequiredService<IGrainFactory>(), cancellation).ConfigureAwait(false);
        var runs = services.GetRequiredService<ClusterRuns>();
        await runs.StartAsync(cancellation).ConfigureAwait(false);
        return runs;
    }

    private void Configure(ISiloBuilder builder)
    {
        builder.AddFederatedRuns(store, factory, server.Host, silo.FrontDoor);
        SiloClustering.Configure(builder, silo, certificate);
    }
}

using System.Net;
using Federated.Coordinator.Identity;
using Orleans.Configuration;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>How silos of one cluster find and know each other: in PostgreSQL and by their certificate; or not at all, a silo that is alone.</summary>
internal static class SiloClustering
{
    /// <param name="certificate">What <see cref="SiloTls.Choose"/> chose.</param>
    public static void Configure(ISiloBuilder builder, SiloOptions silo, ClusterCertificate? certificate)
    {
        if (certificate is not null)
        {
            SiloTls.Use(builder, certificate);
        }

        builder.Configure<ClusterOptions>(o => (o.ClusterId, o.ServiceId) = (silo.Cluster, silo.Cluster));
        builder.Configure<global::Orleans.Configuration.SiloOptions>(o => o.SiloName = silo.Name);
        if (silo.Connection.Length == 0)
        {
            builder.UseLocalhostClustering(silo.Port, gatewayPort: 0, serviceId: silo.Cluster, clusterId: silo.Cluster).UseInMemoryReminderService();
            return;
        }

        builder.Configure<EndpointOptions>(o =>
        {
            o.AdvertisedIPAddress = IPAddress.Parse(silo.Address);
            (o.SiloPort, o.GatewayPort) = (silo.Port, 0); // Clients come by HTTP; there is no other gateway.
            o.SiloListeningEndpoint = new IPEndPoint(o.AdvertisedIPAddress, silo.Port);
        });
        builder.UseAdoNetClustering(o => (o.Invariant, o.ConnectionString) = ("Npgsql", silo.Connection));
        builder.UseAdoNetReminderService(o => (o.Invariant, o.ConnectionString) = ("Npgsql", silo.Connection));
        builder.Configure<ClusterMembershipOptions>(o =>
        {
            o.ProbeTimeout = TimeSpan.FromSeconds(silo.ProbeSeconds);
            o.TableRefreshTimeout = TimeSpan.FromSeconds(Math.Max(5, 2 * silo.ProbeSeconds));

            // A cluster whose silos have all been killed starts again after three of these.
            o.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(5);
        });
    }
}

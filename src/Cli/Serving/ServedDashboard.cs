using System.Net;
using System.Text;
using Federated.Cli.Commands;
using Federated.Cli.Dashboard;
using Federated.Coordinator.Dashboard.Feed;
using Federated.Coordinator.Dashboard.Http;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Identity;
using Federated.Simulation;
using Federated.Simulation.Configuration;

namespace Federated.Cli.Serving;

/// <summary>The dashboard of <c>fed serve</c>: on the coordinator's origin, with its tokens.</summary>
internal static class ServedDashboard
{
    private static readonly TimeSpan LinkLifetime = TimeSpan.FromHours(12);

    public static DashboardExtension Create() =>
        new(new DashboardAssets(typeof(ServedDashboard).Assembly), Describe, typeof(ServedDashboard).Assembly.GetName().Version?.ToString(3) ?? "", SchemaCommand.Text());

    /// <summary>Where the pages are: on loopback a link that lets this user in, elsewhere an address that asks for a token.</summary>
    public static async Task<string> LinkAsync(CoordinatorServer server)
    {
        var pages = $"{Openable(server.Addresses[0])}/#/runs";
        if (!server.Addresses.All(address => new Uri(address).IsLoopback))
        {
            return $"{pages} (asks for a viewer's or an operator's token)";
        }

        var (_, token) = await server.Identities.CreateAccessTokenAsync(Role.Operator, "link to the dashboard", LinkLifetime).ConfigureAwait(false);
        return $"{pages}?token={WebUtility.UrlEncode(token)}";
    }

    /// <summary>"All addresses" is nothing that a browser could open; this machine's name is, and a certificate's default.</summary>
    internal static string Openable(string address)
    {
        var url = new Uri(address);
        var isAny = IPAddress.TryParse(url.Host.Trim('[', ']'), out var ip) && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any));
        return (isAny ? new UriBuilder(url) { Host = Dns.GetHostName() }.Uri : url).GetLeftPart(UriPartial.Authority);
    }

    /// <summary>What a run's configuration tells; a configuration of another kind tells its id only.</summary>
    private static RunHeader Describe(RunEntry entry)
    {
        var read = ConfigurationFile.Read<ExperimentConfiguration>(Encoding.UTF8.GetString(entry.Configuration.Span), entry.Id);
        return read is { IsValid: true, Value: { } configuration }
            ? SimulationFeed.HeaderOf(configuration, entry.Id, 0, FeedSource.Live)
            : new RunHeader { Id = entry.Id, Name = entry.Id, Strategy = "", Source = FeedSource.Live };
    }
}

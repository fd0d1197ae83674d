using System.Globalization;
using Federated.Client;
using Federated.Client.Session;
using Federated.Client.Store;
using Federated.Client.Transport;
using Federated.Protocol.Local;
using Federated.Simulation.Serving;

namespace Federated.EndToEnd.Serving;

/// <summary>A device's client in this process, with one shard of a run's data: it asks again and again, for as long as it takes.</summary>
internal static class Participant
{
    /// <inheritdoc cref="TakePartAsync(string, int, LastRound?, CancellationToken, Uri[])"/>
    public static Task<SessionSummary> TakePartAsync(string run, int index, CancellationToken cancellation, params Uri[] coordinators) =>
        TakePartAsync(run, index, null, cancellation, coordinators);

    /// <param name="last">Holds the run's last assignments back; null for none.</param>
    /// <param name="coordinators">Tried in turn; each has left its tokens for this user, or another of its cluster has.</param>
    public static async Task<SessionSummary> TakePartAsync(string run, int index, LastRound? last, CancellationToken cancellation, params Uri[] coordinators)
    {
        var options = new FederatedClientOptions
        {
            Run = run,
            Name = string.Create(CultureInfo.InvariantCulture, $"shard-{index:D5}"),
            EnrolmentToken = coordinators.Select(LocalCoordinator.Find).First(found => found is not null)!.EnrolmentToken,
            FirstRetry = TimeSpan.FromMilliseconds(20),
            LastRetry = TimeSpan.FromMilliseconds(200),
        };
        var endpoints = new HttpTransportOptions { Endpoints = Endpoints.Of(coordinators) };
        await using var client = new FederatedClient(
            options, last is null ? new HttpTransport(endpoints, TimeProvider.System) : new HttpTransport(endpoints, TimeProvider.System, last.Handler(), ownsHandler: true), new MemoryClientStore(new MemoryModelCache(1 << 24)), TimeProvider.System);
        return await client.RunAsync(new ManagedTrainer(new ManagedTrainers(), new ShardData(new SharedShards("data"), index)), cancellation);
    }
}

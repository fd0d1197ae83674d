using System.Globalization;
using Federated.Client;
using Federated.Client.Analytics;
using Federated.Client.Session;
using Federated.Client.Store;
using Federated.Client.Transport;
using Federated.Protocol.Local;
using Federated.Simulation.Serving;

namespace Federated.EndToEnd.Serving;

/// <summary>A device's client in this process: it trains on one shard of a run's data, or answers a question, and asks again and again for as long as it takes.</summary>
internal static class Participant
{
    /// <summary>What a client of this process takes part with; it tries again sooner than a device would.</summary>
    /// <param name="name">Shards are numbered by it: see <see cref="ShardName"/>.</param>
    /// <param name="coordinators">Each has left its tokens for this user, or another of its cluster has.</param>
    public static FederatedClientOptions OptionsOf(string run, string name, params Uri[] coordinators) => new()
    {
        Run = run,
        Name = name,
        EnrolmentToken = coordinators.Select(LocalCoordinator.Find).First(found => found is not null)!.EnrolmentToken,
        FirstRetry = TimeSpan.FromMilliseconds(20),
        LastRetry = TimeSpan.FromMilliseconds(200),
    };

    public static string ShardName(int index) => string.Create(CultureInfo.InvariantCulture, $"shard-{index:D5}");

    /// <inheritdoc cref="TakePartAsync(string, int, LastRound?, CancellationToken, Uri[])"/>
    public static Task<SessionSummary> TakePartAsync(string run, int index, CancellationToken cancellation, params Uri[] coordinators) =>
        TakePartAsync(run, index, null, cancellation, coordinators);

    /// <param name="last">Holds the run's last assignments back; null for none.</param>
    /// <param name="coordinators">Tried in turn.</param>
    public static Task<SessionSummary> TakePartAsync(string run, int index, LastRound? last, CancellationToken cancellation, params Uri[] coordinators) =>
        TakePartAsync(OptionsOf(run, ShardName(index), coordinators), index, Transport(last, coordinators), cancellation);

    /// <param name="transport">The way to the coordinator; disposed at the end.</param>
    public static async Task<SessionSummary> TakePartAsync(FederatedClientOptions options, int index, ITransport transport, CancellationToken cancellation)
    {
        await using var client = new FederatedClient(options, transport, new MemoryClientStore(new MemoryModelCache(1 << 24)), TimeProvider.System);
        return await client.RunAsync(new ManagedTrainer(new ManagedTrainers(), new ShardData(new SharedShards("data"), index)), cancellation);
    }

    /// <inheritdoc cref="TakePartAsync(FederatedClientOptions, int, ITransport, CancellationToken)"/>
    public static async Task<SessionSummary> AnswerAsync(FederatedClientOptions options, IAnalyst analyst, ITransport transport, CancellationToken cancellation)
    {
        await using var client = new FederatedClient(options, transport, new MemoryClientStore(new MemoryModelCache(1 << 20)), TimeProvider.System);
        return await client.AnswerAsync(analyst, cancellation);
    }

    /// <inheritdoc cref="TakePartAsync(string, int, LastRound?, CancellationToken, Uri[])"/>
    public static HttpTransport Transport(LastRound? last, params Uri[] coordinators)
    {
        var endpoints = new HttpTransportOptions { Endpoints = Endpoints.Of(coordinators) };
        return last is null ? new HttpTransport(endpoints, TimeProvider.System) : new HttpTransport(endpoints, TimeProvider.System, last.Handler(), ownsHandler: true);
    }
}

using System.Globalization;
using Federated.Client;
using Federated.Client.Store;
using Federated.Client.Transport;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Protocol.Local;
using Federated.Simulation.Serving;

namespace Federated.EndToEnd.Serving;

/// <summary>A policy over the network: real clients protect what they send, the coordinator charges them, and the budget ends the run.</summary>
public sealed class PrivateRunTests : IDisposable
{
    private const int Clients = 4;

    private readonly string folder = Directory.CreateTempSubdirectory("fed-private-").FullName;

    static PrivateRunTests() => _ = Fed.Home; // One for all tests of the process: it is the environment's.

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("{ kind: central, delta: 1e-5, maxParticipations: 3, mechanism: { kind: dp-fedavg, noiseMultiplier: 2 } }")]
    [InlineData("{ kind: central, delta: 1e-5, mechanism: { kind: dp-ftrl, noiseMultiplier: 2, steps: 3, maxParticipations: 3 } }")]
    [InlineData("{ kind: local, delta: 1e-5, reportEpsilon: 4, maxParticipations: 3 }")]
    public async Task A_run_over_HTTP_stops_at_its_budget_and_says_what_it_spent(string policy)
    {
        var factory = new ExperimentRunFactory("data");
        await using var server = await CoordinatorServer.StartAsync(
            new CoordinatorOptions { DataDirectory = folder, Listen = ["http://127.0.0.1:0"], DrainSeconds = 5 }, FileStore.Open(Path.Combine(folder, "store")), factory, TimeProvider.System, null, default);
        var configuration = factory.Read(
            $$"""
            name: private
            seed: 20
            data: { set: drawn-digits, trainExamples: 200, testExamples: 40, partition: { kind: iid, clients: {{Clients}} } }
            model: { kind: softmax }
            training: { kind: local, steps: 3, batchSize: 10 }
            strategy: { scheduler: { kind: synchronous, cohort: {{Clients}} }, exampleWeight: equal }
            clients: { count: {{Clients}} }
            run: { stop: { versions: 50 } }
            privacy: {{policy}}
            """,
            []);
        var run = await server.Runs.CreateAsync("private", configuration, default);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(index => TakePartAsync(new Uri(server.Addresses[0]), index)));
        while (run.View.Status != RunStatus.Finished)
        {
            await Task.Yield();
        }

        Assert.Equal((3, FinishReason.Budget), (run.View.Version, run.View.Ended!.Value.Reason));
        var spent = run.View.Spent!;
        Assert.Equal(Expected(policy), spent.Epsilon, 1e-9);
        Assert.DoesNotContain(spent.Assumptions, a => a.Contains("simulation", StringComparison.Ordinal));
    }

    private static double Expected(string policy) => policy.Contains("dp-fedavg", StringComparison.Ordinal) ? AnalyticGaussian.Epsilon(2 / Math.Sqrt(3), 1e-5)
        : policy.Contains("dp-ftrl", StringComparison.Ordinal) ? AnalyticGaussian.Epsilon(2, 1e-5)
        : new PldAccountant().Epsilon(new RandomizedResponseEvent(NeighbourRelation.ReplaceOneParticipation, 4, 2).Repeated(3), 1e-5);

    private static async Task TakePartAsync(Uri url, int index)
    {
        var options = new FederatedClientOptions
        {
            Run = "private",
            Name = string.Create(CultureInfo.InvariantCulture, $"shard-{index:D5}"),
            EnrolmentToken = LocalCoordinator.Find(url)!.EnrolmentToken,
        };
        await using var client = new FederatedClient(
            options, new HttpTransport(new HttpTransportOptions { Endpoints = Endpoints.Of(url) }, TimeProvider.System), new MemoryClientStore(new MemoryModelCache(1 << 24)), TimeProvider.System);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        await client.RunAsync(new ManagedTrainer(new ManagedTrainers(), new ShardData(new SharedShards("data"), index)), limit.Token);
    }
}

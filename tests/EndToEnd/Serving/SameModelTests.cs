using System.Globalization;
using System.Text.Json;
using Federated.Client;
using Federated.Client.Store;
using Federated.Client.Transport;
using Federated.Coordinator.Http;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Protocol.Local;
using Federated.Protocol.Wire;
using Federated.Simulation;
using Federated.Simulation.Configuration;
using Federated.Simulation.Serving;

namespace Federated.EndToEnd.Serving;

/// <summary>What is simulated is what is deployed: one experiment file, in virtual time and served to real clients over HTTP, makes the same model to the bit.</summary>
public sealed class SameModelTests : IDisposable
{
    private const int Clients = 3;

    private readonly string folder = Directory.CreateTempSubdirectory("fed-same-").FullName;

    static SameModelTests() => _ = Fed.Home; // One for all tests of the process: it is the environment's.

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("")]
    [InlineData("strategy.objective={kind: scaffold}")]
    [InlineData("strategy.objective={kind: feddyn}", "strategy.exampleWeight=equal")]
    [InlineData("strategy.serverOptimizer={kind: adam, learningRate: 0.02}", "training.schedule={kind: cosine}")]
    [InlineData("strategy.compression={codec: {kind: qsgd}}", "model={kind: mlp, hidden: [16]}")]
    [InlineData("strategy.aggregator={kind: median}")]
    public async Task A_synchronous_run_over_HTTP_makes_the_simulated_model(params string[] changes)
    {
        var sets = changes.Where(c => c.Length > 0).ToArray();
        var file = $$"""
            name: same
            seed: 20
            data: { set: drawn-digits, trainExamples: 300, testExamples: 60, partition: { kind: dirichlet, clients: {{Clients}}, alpha: 1 } }
            model: { kind: softmax }
            training: { kind: local, epochs: 1, batchSize: 10 }
            strategy: { scheduler: { kind: synchronous, cohort: {{Clients}} } }
            clients: { count: {{Clients}} }
            run: { stop: { versions: 5 } }
            """;
        var configuration = ConfigurationFile.Read<ExperimentConfiguration>(file, "same", sets);
        Assert.True(configuration.IsValid, string.Join('\n', configuration.IsValid ? [] : configuration.Errors));
        var simulated = ExperimentRunner.Run(configuration.Value, "data", null, TimeProvider.System, default).Summary;

        var served = await ServeAsync(file, sets);

        Assert.Equal(5, served.Version);
        Assert.Equal(simulated.ModelSha256, served.Sha256);
        Assert.Equal(simulated.FinalAccuracy, served.Accuracy);
    }

    private async Task<(int Version, string Sha256, double Accuracy)> ServeAsync(string file, string[] sets)
    {
        var factory = new ExperimentRunFactory("data");
        await using var server = await CoordinatorServer.StartAsync(
            new CoordinatorOptions { DataDirectory = folder, Listen = ["http://127.0.0.1:0"], DrainSeconds = 5 }, FileStore.Open(Path.Combine(folder, "store")), factory, TimeProvider.System, null, default);
        var url = new Uri(server.Addresses[0]);
        var run = await server.Runs.CreateAsync("same", factory.Read(file, sets), default);
        var shards = new SharedShards("data");
        var trainers = new ManagedTrainers();

        // In the wrong order: numbers follow names.
        var sessions = Enumerable.Range(0, Clients).Reverse().Select(async index =>
        {
            var options = new FederatedClientOptions
            {
                Run = "same",
                Name = string.Create(CultureInfo.InvariantCulture, $"shard-{index:D5}"),
                EnrolmentToken = LocalCoordinator.Find(url)!.EnrolmentToken,
            };
            await using var client = new FederatedClient(
                options, new HttpTransport(new HttpTransportOptions { Endpoints = Endpoints.Of(url) }, TimeProvider.System), new MemoryClientStore(new MemoryModelCache(1 << 24)), TimeProvider.System);
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
            return await client.RunAsync(new ManagedTrainer(trainers, new ShardData(shards, index)), limit.Token);
        }).ToList();
        var summaries = await Task.WhenAll(sessions);
        Assert.Equal(Clients * 5, summaries.Sum(s => s.Accepted));
        while (run.View.Status != RunStatus.Finished || run.Metrics.Count == 0 || run.Metrics[^1].Version < run.View.Version)
        {
            await Task.Delay(20); // The last evaluation is beside the loop.
        }

        using var http = new HttpClient { BaseAddress = url };
        http.DefaultRequestHeaders.Add("Federated-Protocol", "1");
        http.DefaultRequestHeaders.Add("Authorization", $"Bearer {LocalCoordinator.Find(url)!.OperatorToken}");
        var shown = JsonSerializer.Deserialize(await http.GetStringAsync("/v1/runs/same"), WireJson.Default.RunDetailMessage)!;
        Assert.All(shown.Clients, c => Assert.Equal((5, 5), (c.Dispatched, c.Accepted)));
        Assert.Equal(300, shown.Clients.Sum(c => c.Examples));
        return (run.View.Version, run.View.Versions[run.View.Version].Deployed.Sha256, run.Metrics[^1].Accuracy);
    }
}

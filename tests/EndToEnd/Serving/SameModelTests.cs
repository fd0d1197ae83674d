using System.Text.Json;
using Federated.Coordinator.Http;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
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
        await using var server = await TestCoordinator.StartAsync(folder, factory);
        var run = await server.Runs.CreateAsync("same", factory.Read(file, sets), default);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));

        // In the wrong order: numbers follow names.
        var summaries = await Task.WhenAll(Enumerable.Range(0, Clients).Reverse().Select(index => Participant.TakePartAsync("same", index, limit.Token, server.Url())));
        Assert.Equal(Clients * 5, summaries.Sum(s => s.Accepted));
        while (run.View.Status != RunStatus.Finished || run.Metrics.Count == 0 || run.Metrics[^1].Version < run.View.Version)
        {
            await Task.Delay(20, limit.Token); // The last evaluation is beside the loop.
        }

        var shown = await TestCoordinator.ReadAsync(server.Url(), "/v1/runs/same", WireJson.Default.RunDetailMessage);
        Assert.All(shown.Clients, c => Assert.Equal((5, 5), (c.Dispatched, c.Accepted)));
        Assert.Equal(300, shown.Clients.Sum(c => c.Examples));
        return (run.View.Version, run.View.Versions[run.View.Version].Deployed.Sha256, run.Metrics[^1].Accuracy);
    }
}

using Federated.Client;
using Federated.Client.Store;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Storage.Files;
using Federated.Simulation;
using Federated.Simulation.Configuration;
using Federated.Simulation.Serving;

namespace Federated.EndToEnd.Serving;

/// <summary>The SDK's session on a coordinator in the same process, without sockets.</summary>
public sealed class InProcessTests : IDisposable
{
    private const string Yaml = """
        name: inside
        seed: 5
        data: { source: { kind: synthetic-iid, clients: 4 } }
        model: { kind: softmax }
        training: { kind: local, epochs: 1, batchSize: 10, optimizer: { kind: sgd, learningRate: 0.05 } }
        strategy:
          scheduler: { kind: synchronous, cohort: 4 }
          objective: { kind: scaffold }
        run: { stop: { versions: 5 } }
        clients: { count: 4 }
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("federated-inside-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(0)]
    public async Task ARunIsTheSimulatedOneToTheBit(int envelopeBytes)
    {
        var configuration = ConfigurationFile.Read<ExperimentConfiguration>(Yaml, "inside.yaml").Value!;
        var simulated = Experiment.Prepare(configuration, folder).Run(null, TimeProvider.System, CancellationToken.None);
        var factory = new ExperimentRunFactory(folder);
        await using var store = FileStore.Open(Path.Combine(folder, "store"));
        await using var registry = await RunRegistry.OpenAsync(store, factory, TimeProvider.System, new RunHostOptions(), TimeSpan.Zero, CancellationToken.None);
        var host = await registry.CreateAsync("inside", factory.Read(Yaml, []), CancellationToken.None);
        var (trainers, shards) = (new ManagedTrainers(), new SharedShards(folder));
        shards.Load(configuration.Data!, configuration.Seed);
        using var cache = new MemoryModelCache(1 << 24);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(HostOutcome.Done, (await host.JoinAsync($"member-{i}", 0)).Outcome); // In order, as shards are numbered.
        }

        var sessions = await Task.WhenAll(Enumerable.Range(0, 4).Select(async i =>
        {
            var options = new FederatedClientOptions { Run = "inside", EnvelopeBytes = envelopeBytes, ChunkBytes = 1000 };
            await using var client = new FederatedClient(options, new InProcessTransport(registry, $"member-{i}"), new MemoryClientStore(cache), TimeProvider.System);
            return await client.RunAsync(new ManagedTrainer(trainers, new ShardData(shards, i)));
        }));
        Assert.All(sessions, s => Assert.Equal((5, 0, 0), (s.Accepted, s.Rejected, s.GivenUp)));
        Assert.Equal(simulated.Summary.ModelSha256, host.View.Versions[5].Model.Sha256);
    }
}

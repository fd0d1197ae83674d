using Federated.Coordinator.Http;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Federated.EndToEnd.Samples;
using Federated.EndToEnd.Serving;
using Federated.Simulation.Serving;

namespace Federated.EndToEnd.Cluster;

/// <summary>A shuffler of two processes over a PostgreSQL of its own: the one that holds the reports is killed by SIGKILL, and the other goes on with them.</summary>
[Collection(PostgresTests.Name)]
public sealed class ShufflerProcessTests(PostgresServer database) : IDisposable
{
    private const int Clients = 3, Versions = 8;

    private readonly string folder = Directory.CreateTempSubdirectory("federated-shuffler-silos-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [ClusterFact]
    public async Task Goes_on_with_every_report_when_the_process_that_holds_them_is_killed()
    {
        var connection = await database.NewDatabaseAsync();
        await using var server = await TestCoordinator.StartAsync(Path.Combine(folder, "coordinator"));
        var (first, second) = (Path.Combine(folder, "first"), Path.Combine(folder, "second"));
        await Fed.RunAsync("shuffler", "keys", "--data", first, "--name", "s1");
        Directory.CreateDirectory(second);
        File.Copy(Path.Combine(first, "keys.json"), Path.Combine(second, "keys.json"));

        var urls = new[] { $"http://127.0.0.1:{Ports.Take()}", $"http://127.0.0.1:{Ports.Take()}" };
        using var holder = await StartAsync(first, urls[0]); // Alone, so that the shuffler comes to it.
        using var other = await StartAsync(second, urls[1]);
        await Fed.RunAsync("shufflers", "add", "s1", "--address", urls[1], "--url", server.Addresses[0]);
        var run = await server.Runs.CreateAsync("shuffled", new ExperimentRunFactory("data").Read(
            $$"""
            name: shuffled
            seed: 20
            data: { set: drawn-digits, trainExamples: 60, testExamples: 10, partition: { kind: iid, clients: {{Clients}} } }
            model: { kind: softmax }
            training: { kind: local, steps: 1, batchSize: 5 }
            strategy: { scheduler: { kind: synchronous, cohort: {{Clients}} }, exampleWeight: equal }
            clients: { count: {{Clients}} }
            run: { stop: { versions: {{Versions}} }, evaluateEvery: 0 }
            privacy: { kind: shuffle, delta: 1e-5, reportEpsilon: 4, maxParticipations: {{Versions}}, batchSeconds: 3600, shufflers: [s1] }
            """,
            []), default);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(15));
        var clients = Enumerable.Range(0, Clients).Select(index => Participant.TakePartAsync("shuffled", index, limit.Token, new Uri(server.Addresses[0]))).ToList();
        while (run.View.Version < 3)
        {
            await Task.Delay(10, limit.Token);
        }

        holder.Kill();
        var sessions = await Task.WhenAll(clients);
        Assert.Equal(Versions * Clients, sessions.Sum(session => session.Accepted));
        Assert.Equal((RunStatus.Finished, Versions, Versions * Clients, 0L, 0L), (run.View.Status, run.View.Version, run.View.Counters.Accepted, run.View.Counters.Rejected, run.View.Counters.Lost));

        Task<ServiceProcess> StartAsync(string data, string url) => ServiceProcess.StartAsync(
            url, true, "shuffler", "--data", data, "--name", "s1", "--to", server.Addresses[0], "--store", $"postgres:{connection}", "--port", Ports.Take().ToString(System.Globalization.CultureInfo.InvariantCulture));
    }
}

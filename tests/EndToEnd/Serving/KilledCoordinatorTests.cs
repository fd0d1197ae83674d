using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Federated.Aggregation.Randomness;
using Federated.Coordinator.Tests.Storage;
using Npgsql;
using Xunit.Abstractions;

namespace Federated.EndToEnd.Serving;

/// <summary>
/// Processes killed by SIGKILL at random instants of one synchronous run, with real clients that never stop asking: nothing is lost or counted
/// twice, and the model is that of the simulated run, to the bit.
/// </summary>
/// <remarks>How often is read from FEDERATED_KILLS (default 6); a result of 200 is in <c>benchmarks/results</c>.</remarks>
public abstract class KilledRun(ITestOutputHelper output) : IDisposable
{
    private const int Clients = 4;

    private static readonly int Kills = int.Parse(Environment.GetEnvironmentVariable("FEDERATED_KILLS") ?? "6", CultureInfo.InvariantCulture);

    protected string Folder { get; } = Directory.CreateTempSubdirectory("federated-killed-").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>How far the run's log has come; anything that changes when it does.</summary>
    protected abstract Task<object> LoggedAsync();

    /// <param name="store">The argument of <c>fed serve --store</c>.</param>
    /// <param name="killStore">Kills the store and lets it come back; null for one that has no process.</param>
    protected async Task KillAgainAndAgainAsync(string store, Func<Task>? killStore)
    {
        var versions = 6 * Kills;
        var experiment = Path.Combine(Folder, "killed.yaml");
        File.WriteAllText(experiment, $$"""
            name: killed
            seed: 11
            data:
              source: { kind: drawn-digits, writers: {{Clients}}, trainPerWriter: 20, testPerWriter: 5, size: 12 }
            model: { kind: mlp, hidden: [16] }
            training: { kind: local, epochs: 1, batchSize: 10, optimizer: { kind: sgd, learningRate: 0.02 } }
            strategy: { scheduler: { kind: synchronous, cohort: {{Clients}} } }
            run: { stop: { versions: {{versions}} }, evaluateEvery: 0 }
            clients: { count: {{Clients}} }
            """);
        await Fed.RunAsync("run", experiment, "--out", Path.Combine(Folder, "results"), "--quiet");
        var url = $"http://127.0.0.1:{Ports.Take()}";
        var last = LastRound.FromAssignment((versions - 1) * Clients);
        var random = new SeededRandom(2);
        var clock = Stopwatch.StartNew();
        var coordinator = await StartAsync(url, store);
        try
        {
            await Fed.RunAsync("runs", "create", experiment, "--id", "killed", "--url", url);
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(15 + (Kills / 10)));
            var clients = Enumerable.Range(0, Clients).Select(index => Participant.TakePartAsync("killed", index, last, limit.Token, new Uri(url))).ToList();
            var (kills, ofStore) = (0, 0);
            for (; kills < Kills && !clients.Any(c => c.IsCompleted); kills++)
            {
                if (random.NextInt(4) > 0)
                {
                    await ProgressAsync(last, limit.Token);
                    await Task.Delay(random.NextInt(100)); // The instant is the point: no event is waited for.
                }

                // The store alone, both, or the coordinator alone.
                var victim = killStore is null ? 2 : random.NextInt(3);
                if (victim < 2)
                {
                    ofStore++;
                    await killStore!();
                }

                if (victim == 0)
                {
                    continue; // The coordinator finds its store again by itself.
                }

                coordinator.Kill();
                coordinator.Dispose();
                coordinator = await StartAsync(url, store, isWaitedFor: random.NextInt(6) > 0);
            }

            Assert.True(kills == Kills, $"The run was over after {kills} kills.");
            last.Open();
            Assert.Equal(versions * Clients, (await Task.WhenAll(clients)).Sum(c => c.Accepted));
            var shown = await Fed.RunAsync("runs", "show", "killed", "--url", url);
            var counts = Regex.Match(shown.Replace(",", "", StringComparison.Ordinal), "(\\d+) accepted (\\d+) rejected (\\d+) lost of (\\d+)").Groups.Values.Skip(1).Select(g => int.Parse(g.Value, CultureInfo.InvariantCulture)).ToList();
            Assert.Equal([versions * Clients, 0, 0, versions * Clients], counts);
            var served = Path.Combine(Folder, "served.safetensors");
            await Fed.RunAsync("runs", "export", "killed", "--version", "latest", "--out", served, "--url", url);
            Assert.True(
                File.ReadAllBytes(Path.Combine(Folder, "results", "model.safetensors")).AsSpan().SequenceEqual(File.ReadAllBytes(served)), $"The model is not the simulated one:\n{shown}");
            output.WriteLine($"{kills} kills ({ofStore} of the store), {versions} versions, {versions * Clients} updates, each counted once, in {clock.Elapsed.TotalSeconds:F0} s; the model is the simulated one.");
        }
        finally
        {
            coordinator.Dispose();
        }
    }

    /// <summary>Waits until the run has logged something more, or gets no further.</summary>
    private async Task ProgressAsync(LastRound last, CancellationToken cancellation)
    {
        var before = await LoggedAsync();
        while (!last.IsReached && before.Equals(await LoggedAsync()))
        {
            await Task.Delay(5, cancellation);
        }
    }

    private Task<ServiceProcess> StartAsync(string url, string store, bool isWaitedFor = true) =>
        ServiceProcess.StartAsync(url, isWaitedFor, "serve", "--data", Path.Combine(Folder, "coordinator"), "--store", store);
}

/// <summary>The coordinator on files.</summary>
public sealed class KilledCoordinatorTests(ITestOutputHelper output) : KilledRun(output)
{
    [Fact]
    public Task ARunThatIsKilledAgainAndAgainEndsWithTheModelOfTheSimulatedOne() => KillAgainAndAgainAsync("files", null);

    protected override Task<object> LoggedAsync()
    {
        var runs = new DirectoryInfo(Path.Combine(Folder, "coordinator", "store", "runs"));
        var last = runs.Exists ? runs.EnumerateFiles("log-*", SearchOption.AllDirectories).OrderBy(f => f.Name, StringComparer.Ordinal).LastOrDefault() : null;
        return Task.FromResult<object>(last is null ? ("", 0L) : (last.Name, last.Length));
    }
}

/// <summary>The coordinator on PostgreSQL, and PostgreSQL itself: all its processes at once, under load.</summary>
public sealed class KilledDatabaseTests(ITestOutputHelper output) : KilledRun(output), IAsyncLifetime
{
    private readonly PostgresServer server = new() { Syncs = true };
    private string connection = "";

    public async Task InitializeAsync()
    {
        await server.InitializeAsync();
        connection = PostgresServer.Programs is null ? "" : await server.NewDatabaseAsync();
    }

    public Task DisposeAsync() => server.DisposeAsync();

    [PostgresFact]
    public Task ARunWhoseDatabaseIsKilledTooEndsWithTheModelOfTheSimulatedOne() => KillAgainAndAgainAsync($"postgres:{connection}", async () =>
    {
        await server.KillAsync();
        await server.StartAsync();
    });

    protected override async Task<object> LoggedAsync()
    {
        await using var open = new NpgsqlConnection($"{connection};Pooling=false");
        await open.OpenAsync();
        await using var command = new NpgsqlCommand("select next_sequence from fed_runs where run like 'killed.%'", open);
        return await command.ExecuteScalarAsync() ?? -1L;
    }
}

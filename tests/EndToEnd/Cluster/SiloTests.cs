using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Federated.Aggregation.Randomness;
using Federated.Client.Session;
using Federated.Coordinator.Tests.Storage;
using Federated.EndToEnd.Serving;
using Npgsql;
using Xunit.Abstractions;

namespace Federated.EndToEnd.Cluster;

/// <summary>
/// A cluster as it is run: several <c>fed silo</c> processes, membership, log and blobs in PostgreSQL, clients that know all front doors. However
/// silos are killed or restarted, every update counts once and the model of a synchronous run is that of the simulated one, to the bit.
/// </summary>
/// <remarks>How many silos there are and how often one is killed is read from FEDERATED_SILOS and FEDERATED_SILO_KILLS (default 2 and 4; 4 and 200 with FED_SLOW_TESTS=1).</remarks>
[Collection(PostgresTests.Name)]
public sealed class SiloTests(PostgresServer server, ITestOutputHelper output) : IDisposable
{
    private const int Clients = 4;

    private static readonly bool IsSlow = Environment.GetEnvironmentVariable("FED_SLOW_TESTS") == "1";
    private static readonly int Silos = Number("FEDERATED_SILOS", IsSlow ? 4 : 2);
    private static readonly int Kills = Number("FEDERATED_SILO_KILLS", IsSlow ? 200 : 4);

    private readonly string folder = Directory.CreateTempSubdirectory("federated-silos-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [ClusterFact]
    public async Task SilosThatAreKilledAgainAndAgainNeitherLoseNorForkNorCountTwice()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(15 + (Kills / 4)));
        var (experiment, versions) = (Write("killed", (3 * Kills) + 10), (3 * Kills) + 10);
        var clock = Stopwatch.StartNew();
        var connection = await server.NewDatabaseAsync();
        using var silos = await StartAsync(connection, limit.Token);
        await Fed.RunAsync("runs", "create", experiment, "--id", "killed", "--url", silos.Urls[0].ToString());
        var last = LastRound.FromAssignment((versions - 1) * Clients);
        var clients = TakePart("killed", silos, limit.Token, last);
        await using var log = NpgsqlDataSource.Create(connection);
        var random = new SeededRandom(5);
        var kills = 0;
        for (; kills < Kills && !clients.Any(c => c.IsCompleted); kills++)
        {
            if (random.NextInt(5) > 0)
            {
                await ProgressAsync(log, "killed", last, limit.Token);
                await Task.Delay(random.NextInt(100), limit.Token); // The instant is the point: no event is waited for.
            }

            var victim = silos.All[random.NextInt(silos.All.Count)];
            await victim.KillAsync();
            victim.Start();
        }

        Assert.True(kills == Kills, $"The run was over after {kills} kills.");
        last.Open();
        var summaries = await AllAsync(clients, silos);
        await silos.All[^1].ReadyAsync(limit.Token);
        await AssertExactlyOnceAsync("killed", versions, summaries, silos.Urls[^1]);
        output.WriteLine($"{Silos} silos, {kills} kills, {versions} versions, {versions * Clients} updates, each counted once, in {clock.Elapsed.TotalSeconds:F0} s; the model is the simulated one.");
    }

    [ClusterFact]
    public async Task ARollingRestartUnderLoadIsHiddenFromClients()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(15));
        var clock = Stopwatch.StartNew();
        using var silos = await StartAsync(await server.NewDatabaseAsync(), limit.Token);
        var experiment = Write("rolled", 1_000_000);
        await Fed.RunAsync("runs", "create", experiment, "--id", "rolled", "--url", silos.Urls[0].ToString());
        var clients = TakePart("rolled", silos, limit.Token);
        foreach (var silo in silos.All)
        {
            Assert.Equal(0, await silo.StopAsync(limit.Token));
            Assert.DoesNotContain(clients, c => c.IsCompleted);
            silo.Start();
            await silo.ReadyAsync(limit.Token);
        }

        while ((await Fed.RunJsonAsync("runs", "show", "rolled", "--url", silos.Urls[0].ToString())).GetProperty("summary").GetProperty("accepted").GetInt64() <= 20 * Clients)
        {
            await Task.Delay(100, limit.Token);
        }

        await Fed.RunAsync("runs", "stop", "rolled", "--url", silos.Urls[0].ToString());
        var summaries = await AllAsync(clients, silos);
        var run = (await Fed.RunJsonAsync("runs", "show", "rolled", "--url", silos.Urls[^1].ToString())).GetProperty("summary");
        Assert.Equal(run.GetProperty("accepted").GetInt64(), summaries.Sum(s => s.Accepted));

        // What was out when the run was stopped is lost with it, one assignment for each client at the most; nothing was lost to a restart.
        Assert.InRange(run.GetProperty("lost").GetInt64(), 0, Clients);
        Assert.Equal(
            run.GetProperty("dispatched").GetInt64(),
            run.GetProperty("accepted").GetInt64() + run.GetProperty("rejected").GetInt64() + run.GetProperty("lost").GetInt64());
        output.WriteLine($"{Silos} silos restarted one by one under load; {run.GetProperty("accepted")} updates, in {clock.Elapsed.TotalSeconds:F0} s.");
    }

    [ClusterFact]
    public async Task AnySiloTakesOrdersForAnyRun()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(15));
        using var silos = await StartAsync(await server.NewDatabaseAsync(), limit.Token);
        var (first, last) = (silos.Urls[0].ToString(), silos.Urls[^1].ToString());
        await Fed.RunAsync("runs", "create", Write("ordered", 6), "--id", "ordered", "--url", first);
        await Fed.RunAsync("runs", "pause", "ordered", "--url", last);
        Assert.Equal("paused", await StateAsync(first));
        var clients = TakePart("ordered", silos, limit.Token);
        await Fed.RunAsync("runs", "resume", "ordered", "--url", first);
        await AllAsync(clients, silos);
        Assert.Equal("finished", await StateAsync(last));
        await Fed.RunAsync("runs", "branch", "ordered", "--version", "6", "--id", "branched", "--url", last);
        Assert.Contains("ordered, version 6", (await Fed.RunJsonAsync("runs", "show", "branched", "--url", first)).GetProperty("branchedFrom").GetString(), StringComparison.Ordinal);
        await Fed.RunAsync("runs", "stop", "branched", "--url", first);
        await Fed.RunAsync("runs", "delete", "ordered", "--yes", "--url", last);
        using var http = TestCoordinator.Operator(silos.Urls[0]);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri("/v1/runs/ordered", UriKind.Relative), limit.Token)).StatusCode);

        async Task<string?> StateAsync(string url) => (await Fed.RunJsonAsync("runs", "show", "ordered", "--url", url)).GetProperty("summary").GetProperty("state").GetString();
    }

    [ClusterFact]
    public async Task AnySiloShowsWhatHappensOnAnother()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(15));
        using var silos = await StartAsync(await server.NewDatabaseAsync(), limit.Token);
        await Fed.RunAsync("runs", "create", Write("seen", 8), "--id", "seen", "--url", silos.Urls[0].ToString());
        foreach (var url in silos.Urls)
        {
            await ShownAsync(url, "seen", "", limit.Token); // What happens from here on is told there.
        }

        await AllAsync(TakePart("seen", silos, limit.Token), silos);
        foreach (var url in silos.Urls)
        {
            await ShownAsync(url, "seen", "finished", limit.Token);
            using var http = TestCoordinator.Operator(url);
            using var versions = JsonDocument.Parse(await http.GetStringAsync(new Uri("/v1/runs/seen/versions", UriKind.Relative), limit.Token));
            Assert.Equal(8, versions.RootElement.GetProperty("version").GetArrayLength());
            using var system = JsonDocument.Parse(await http.GetStringAsync(new Uri("/v1/dashboard/system", UriKind.Relative), limit.Token));
            var facts = system.RootElement.GetProperty("silos").EnumerateArray().ToList();
            Assert.Equal(Silos, facts.Count(s => s.GetProperty("status").GetString() == "active"));
            Assert.Single(facts, s => s.GetProperty("isHere").GetBoolean());
            Assert.Equal(1, facts.Sum(s => s.GetProperty("runs").GetInt32()));
            Assert.Contains("federated_run_version", await http.GetStringAsync(new Uri("/metrics", UriKind.Relative), limit.Token) + await MetricsAsync(silos), StringComparison.Ordinal);
        }
    }

    /// <summary>Waits until a silo's dashboard shows a run with some words.</summary>
    private static async Task ShownAsync(Uri url, string run, string words, CancellationToken cancellation)
    {
        using var http = TestCoordinator.Operator(url);
        for (;;)
        {
            using var shown = JsonDocument.Parse(await http.GetStringAsync(new Uri("/v1/dashboard", UriKind.Relative), cancellation));
            if (shown.RootElement.GetProperty("runs").EnumerateArray().Select(r => r.ToString())
                .Any(r => r.Contains($"\"{run}\"", StringComparison.Ordinal) && r.Contains(words, StringComparison.OrdinalIgnoreCase)))
            {
                return;
            }

            await Task.Delay(50, cancellation);
        }
    }

    private static async Task<string> MetricsAsync(Cluster silos)
    {
        using var http = new HttpClient();
        return string.Concat(await Task.WhenAll(silos.Urls.Select(url => http.GetStringAsync(new Uri(url, "/metrics")))));
    }

    private async Task<Cluster> StartAsync(string connection, CancellationToken cancellation)
    {
        var cluster = new Cluster([.. Enumerable.Range(1, Silos).Select(n => new SiloProcess($"silo-{n.ToString(CultureInfo.InvariantCulture)}", folder, $"postgres:{connection}"))]);
        foreach (var silo in cluster.All)
        {
            silo.Start();
        }

        await Task.WhenAll(cluster.All.Select(silo => silo.ReadyAsync(cancellation)));
        return cluster;
    }

    private static List<Task<SessionSummary>> TakePart(string run, Cluster silos, CancellationToken cancellation, LastRound? last = null) =>
        [.. Enumerable.Range(0, Clients).Select(index => Participant.TakePartAsync(run, index, last, cancellation, [.. silos.Urls.Skip(index % Silos), .. silos.Urls.Take(index % Silos)]))];

    private static async Task<SessionSummary[]> AllAsync(IEnumerable<Task<SessionSummary>> clients, Cluster silos)
    {
        try
        {
            return await Task.WhenAll(clients);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"A client gave up: {e.Message}\n{string.Join('\n', silos.All.Select(s => s.Log))}", e);
        }
    }

    private async Task AssertExactlyOnceAsync(string run, int versions, SessionSummary[] summaries, Uri url)
    {
        Assert.Equal(versions * Clients, summaries.Sum(s => s.Accepted));
        var shown = (await Fed.RunJsonAsync("runs", "show", run, "--url", url.ToString())).GetProperty("summary");
        long[] counts = [.. new[] { "accepted", "rejected", "lost", "dispatched" }.Select(name => shown.GetProperty(name).GetInt64())];
        Assert.Equal([versions * Clients, 0, 0, versions * Clients], counts);
        await Fed.RunAsync("run", Path.Combine(folder, $"{run}.yaml"), "--out", Path.Combine(folder, "results"), "--quiet");
        var served = Path.Combine(folder, "served.safetensors");
        await Fed.RunAsync("runs", "export", run, "--version", "latest", "--out", served, "--url", url.ToString());
        Assert.Equal(Convert.ToHexString(File.ReadAllBytes(Path.Combine(folder, "results", "model.safetensors"))), Convert.ToHexString(File.ReadAllBytes(served)));
    }

    /// <summary>Waits until the run has logged something more.</summary>
    private static async Task ProgressAsync(NpgsqlDataSource log, string run, LastRound last, CancellationToken cancellation)
    {
        var before = await LoggedAsync();
        while (!last.IsReached && await LoggedAsync() == before)
        {
            await Task.Delay(5, cancellation);
        }

        async Task<long> LoggedAsync()
        {
            await using var command = log.CreateCommand("select coalesce(max(next_sequence), 0) from fed_runs where run like $1 || '.%'");
            command.Parameters.Add(new NpgsqlParameter { Value = run });
            return (long)(await command.ExecuteScalarAsync(cancellation))!;
        }
    }

    private string Write(string name, int versions)
    {
        var path = Path.Combine(folder, $"{name}.yaml");
        File.WriteAllText(path, $$"""
            name: {{name}}
            seed: 11
            data:
              source: { kind: drawn-digits, writers: {{Clients}}, trainPerWriter: 20, testPerWriter: 5, size: 12 }
            model: { kind: mlp, hidden: [16] }
            training: { kind: local, epochs: 1, batchSize: 10, optimizer: { kind: sgd, learningRate: 0.02 } }
            strategy: { scheduler: { kind: synchronous, cohort: {{Clients}} } }
            run: { stop: { versions: {{versions}} }, evaluateEvery: 0 }
            clients: { count: {{Clients}} }
            """);
        return path;
    }

    private static int Number(string variable, int otherwise) =>
        int.Parse(Environment.GetEnvironmentVariable(variable) ?? otherwise.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private sealed class Cluster(IReadOnlyList<SiloProcess> silos) : IDisposable
    {
        public IReadOnlyList<SiloProcess> All => silos;

        public Uri[] Urls { get; } = [.. silos.Select(s => s.Url)];

        public void Dispose()
        {
            foreach (var silo in silos)
            {
                silo.Dispose();
            }
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Federated.Aggregation.Randomness;
using Federated.Client.Session;
using Federated.Protocol.Wire;
using Xunit.Abstractions;

namespace Federated.EndToEnd.Serving;

/// <summary>
/// A run under distributed privacy over HTTP, whose coordinator is a process that is killed by SIGKILL at random instants of its sessions: no sum counts twice or in
/// part, and every assignment stays charged.
/// </summary>
/// <remarks>How often it is killed is read from FEDERATED_KILLS (default 3; 40 with FED_SLOW_TESTS=1).</remarks>
public sealed class KilledSecureSumTests(ITestOutputHelper output) : IDisposable
{
    private const int Clients = 3;

    private static readonly int Kills = int.Parse(
        Environment.GetEnvironmentVariable("FEDERATED_KILLS") ?? (Environment.GetEnvironmentVariable("FED_SLOW_TESTS") == "1" ? "40" : "3"), CultureInfo.InvariantCulture);

    private readonly string folder = Directory.CreateTempSubdirectory("federated-killed-sums-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_run_of_sums_that_is_killed_again_and_again_counts_each_sum_once_and_refunds_nothing()
    {
        var versions = 6 * Kills;
        var experiment = Path.Combine(folder, "sums.yaml");
        File.WriteAllText(experiment, $$"""
            name: sums
            seed: 11
            data:
              source: { kind: drawn-digits, writers: {{Clients}}, trainPerWriter: 20, testPerWriter: 5, size: 12 }
            model: { kind: softmax }
            training: { kind: local, steps: 2, batchSize: 10 }
            strategy: { scheduler: { kind: synchronous, cohort: {{Clients}} }, exampleWeight: equal }
            privacy: { kind: distributed, corrupted: 0, noiseMultiplier: 1, delta: 1e-5, maxParticipations: 100000, phaseSeconds: 10, gatherSeconds: 10 }
            run: { stop: { versions: {{versions}} }, evaluateEvery: 0 }
            clients: { count: {{Clients}} }
            """);
        var url = $"http://127.0.0.1:{Ports.Take()}";
        var last = LastRound.FromVersion(versions - 1);
        var random = new SeededRandom(4);
        var clock = Stopwatch.StartNew();
        var coordinator = await StartAsync(url);
        try
        {
            await Fed.RunAsync("runs", "create", experiment, "--id", "sums", "--url", url);
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(15 + (Kills / 4)));
            var clients = Enumerable.Range(0, Clients).Select(index => TakePartAsync(new Uri(url), index, last, limit.Token)).ToList();
            var kills = 0;
            for (; kills < Kills && !clients.Any(c => c.IsCompleted); kills++)
            {
                await Task.Delay(100 + random.NextInt(1200), limit.Token); // The instant is the point: no event is waited for.
                coordinator.Kill();
                coordinator.Dispose();
                coordinator = await StartAsync(url);
            }

            Assert.True(kills == Kills, $"The run was over after {kills} kills.");
            last.Open();
            var accepted = (await Task.WhenAll(clients)).Sum(c => c.Accepted);
            var run = await TestCoordinator.ReadAsync(new Uri(url), "/v1/runs/sums", WireJson.Default.RunDetailMessage);
            var privacy = await TestCoordinator.ReadAsync(new Uri(url), "/v1/runs/sums/privacy", WireJson.Default.RunPrivacyMessage);
            var sums = await TestCoordinator.ReadAsync(new Uri(url), "/v1/runs/sums/secure-sums", WireJson.Default.SecureSumFacts);
            var counters = run.Summary;
            Assert.Equal(versions, counters.Version);
            Assert.Equal(versions * Clients, counters.Accepted);
            Assert.Equal(counters.Dispatched, counters.Accepted + counters.Lost);
            Assert.Equal(counters.Dispatched, privacy.Clients.Sum(c => c.Participations));
            Assert.InRange(accepted, 0, versions * Clients); // A client may not hear of a sum that counted an instant before a kill.
            Assert.Equal("done", sums.Sessions[^1].Phase);
            output.WriteLine($"{kills} kills, {versions} versions, {versions * Clients} updates, each counted once, {counters.Lost} assignments lost and charged, in {clock.Elapsed.TotalSeconds:F0} s.");
        }
        finally
        {
            coordinator.Dispose();
        }
    }

    private static Task<SessionSummary> TakePartAsync(Uri url, int index, LastRound last, CancellationToken cancellation) => Participant.TakePartAsync(
        Participant.OptionsOf("sums", Participant.ShardName(index), url) with { LongPoll = TimeSpan.FromSeconds(5) }, index, Participant.Transport(last, url), cancellation);

    private Task<ServiceProcess> StartAsync(string url) => ServiceProcess.StartAsync(url, true, "serve", "--data", Path.Combine(folder, "coordinator"));
}

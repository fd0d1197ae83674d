using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Federated.Aggregation.Randomness;
using Federated.EndToEnd.Samples;
using Xunit.Abstractions;

namespace Federated.EndToEnd.Serving;

/// <summary>
/// <c>fed serve</c> and <c>fed shuffler</c> as processes, killed by SIGKILL at random instants of one shuffle-private run, one or both, with
/// clients of the SDK that never stop asking: no report counts twice or is lost, no participation is refunded, and the run ends by its budget.
/// </summary>
/// <remarks>How often is read from FEDERATED_SHUFFLER_KILLS (default 4); the slow test kills 100 times.</remarks>
public sealed class KilledShufflerTests(ITestOutputHelper output) : IDisposable
{
    private const int Clients = 4;

    private readonly string folder = Directory.CreateTempSubdirectory("federated-killed-shuffler-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public Task NothingIsReleasedTwiceLostOrRefunded() =>
        KillAsync(int.Parse(Environment.GetEnvironmentVariable("FEDERATED_SHUFFLER_KILLS") ?? "4", CultureInfo.InvariantCulture));

    [SlowFact]
    public Task NorByAHundredKills() => KillAsync(100);

    private async Task KillAsync(int kills)
    {
        var participations = 3 * kills;
        var (url, shufflerUrl) = ($"http://127.0.0.1:{Ports.Take()}", $"http://127.0.0.1:{Ports.Take()}");
        var experiment = Path.Combine(folder, "killed.yaml");
        File.WriteAllText(experiment, $$"""
            name: killed
            seed: 11
            data: { set: drawn-digits, trainExamples: 80, testExamples: 20, partition: { kind: iid, clients: {{Clients}} } }
            model: { kind: softmax }
            training: { kind: local, steps: 2, batchSize: 10 }
            strategy: { scheduler: { kind: synchronous, cohort: {{Clients}} }, exampleWeight: equal }
            clients: { count: {{Clients}} }
            run: { stop: { versions: {{participations + 10}} }, evaluateEvery: 0 }
            privacy: { kind: shuffle, delta: 1e-5, reportEpsilon: 1, maxParticipations: {{participations}}, batchSeconds: 3600, shufflers: [s1] }
            """);
        var last = LastRound.FromAssignment((participations - 1) * Clients);
        var random = new SeededRandom(7);
        var clock = Stopwatch.StartNew();
        var coordinator = await StartCoordinatorAsync(true);
        var shuffler = await StartShufflerAsync(true);
        try
        {
            await Fed.RunAsync("shufflers", "add", "s1", "--address", shufflerUrl, "--url", url);
            await Fed.RunAsync("runs", "create", experiment, "--id", "killed", "--url", url);
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(15 + (kills / 4)));
            var clients = Enumerable.Range(0, Clients).Select(index => Participant.TakePartAsync("killed", index, last, limit.Token, new Uri(url))).ToList();
            var (done, ofShuffler, ofBoth) = (0, 0, 0);
            for (; done < kills && !clients.Any(c => c.IsCompleted); done++)
            {
                await ProgressAsync(last, limit.Token);
                await Task.Delay(random.NextInt(100)); // The instant is the point: no event is waited for.
                var victim = random.NextInt(3);
                (ofShuffler, ofBoth) = (ofShuffler + (victim != 1 ? 1 : 0), ofBoth + (victim == 2 ? 1 : 0));
                if (victim != 1)
                {
                    shuffler.Dispose();
                }

                if (victim != 0)
                {
                    coordinator.Dispose();
                    coordinator = await StartCoordinatorAsync(random.NextInt(4) > 0);
                }

                if (victim != 1)
                {
                    shuffler = await StartShufflerAsync(random.NextInt(4) > 0);
                }
            }

            Assert.True(done == kills, $"The run was over after {done} kills.");
            last.Open();
            Assert.Equal(participations * Clients, (await Task.WhenAll(clients)).Sum(c => c.Accepted));
            var shown = await Fed.RunAsync("runs", "show", "killed", "--url", url);
            var counts = Regex.Match(shown.Replace(",", "", StringComparison.Ordinal), "(\\d+) accepted (\\d+) rejected (\\d+) lost of (\\d+)").Groups.Values.Skip(1).Select(g => int.Parse(g.Value, CultureInfo.InvariantCulture)).ToList();
            Assert.Equal([participations * Clients, 0, 0, participations * Clients], counts);
            Assert.Contains("budget", shown, StringComparison.OrdinalIgnoreCase);
            output.WriteLine($"{done} kills ({ofShuffler} of the shuffler, {ofBoth} of both at once), {participations} versions, {participations * Clients} reports, each counted once, in {clock.Elapsed.TotalSeconds:F0} s.");
        }
        finally
        {
            shuffler.Dispose();
            coordinator.Dispose();
        }

        Task<ServiceProcess> StartCoordinatorAsync(bool isWaitedFor) => ServiceProcess.StartAsync(url, isWaitedFor, "serve", "--data", Path.Combine(folder, "coordinator"));

        Task<ServiceProcess> StartShufflerAsync(bool isWaitedFor) =>
            ServiceProcess.StartAsync(shufflerUrl, isWaitedFor, "shuffler", "--data", Path.Combine(folder, "shuffler"), "--name", "s1", "--to", url);
    }

    /// <summary>Waits until the run has logged something more, or gets no further.</summary>
    private async Task ProgressAsync(LastRound last, CancellationToken cancellation)
    {
        var before = Logged();
        while (!last.IsReached && before == Logged())
        {
            await Task.Delay(5, cancellation);
        }

        (string, long) Logged()
        {
            var runs = new DirectoryInfo(Path.Combine(folder, "coordinator", "store", "runs"));
            var last = runs.Exists ? runs.EnumerateFiles("log-*", SearchOption.AllDirectories).OrderBy(f => f.Name, StringComparer.Ordinal).LastOrDefault() : null;
            return last is null ? ("", 0L) : (last.Name, last.Length);
        }
    }
}

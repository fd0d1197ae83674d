using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Federated.Aggregation.Randomness;
using Federated.Client.Analytics;
using Federated.Client.Session;
using Federated.EndToEnd.Samples;
using Federated.Privacy.Analytics;
using Federated.Protocol.Local;
using Federated.Protocol.Wire;
using Xunit.Abstractions;

namespace Federated.EndToEnd.Serving;

/// <summary>
/// A question whose coordinator (and shuffler) are processes that are killed by SIGKILL at random instants while clients come, answer once and go: every answer
/// counts once, none is lost, and nothing that was charged is given back.
/// </summary>
/// <remarks>
/// Every client falls into a category of its own and ε₀ is 20, so that a report tells the truth but for a probability below 1e-6: a report that counted twice, or not, or for
/// another, shows in the estimates. How often is read from FEDERATED_ANALYSIS_KILLS (default 3); the slow tests kill 40 times.
/// </remarks>
public sealed class KilledAnalysisTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>Clients that come between two kills, and reports of a version and of a batch.</summary>
    private const int Wave = 4;

    private static readonly int Kills = int.Parse(Environment.GetEnvironmentVariable("FEDERATED_ANALYSIS_KILLS") ?? "3", CultureInfo.InvariantCulture);

    private readonly string folder = Directory.CreateTempSubdirectory("federated-killed-analysis-").FullName;
    private readonly string url = $"http://127.0.0.1:{Ports.Take()}", shufflerUrl = $"http://127.0.0.1:{Ports.Take()}";

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public Task Every_answer_counts_once_and_nothing_is_refunded() => KillAsync(Kills, isShuffled: false);

    [Fact]
    public Task Every_shuffled_answer_counts_once_and_nothing_is_refunded() => KillAsync(Kills, isShuffled: true);

    [SlowFact]
    public Task By_forty_kills_either() => KillAsync(40, isShuffled: false);

    [SlowFact]
    public Task By_forty_kills_of_coordinator_and_shuffler_either() => KillAsync(40, isShuffled: true);

    private async Task KillAsync(int kills, bool isShuffled)
    {
        var clients = Wave * (kills + 1);
        var experiment = Path.Combine(folder, "question.yaml");
        File.WriteAllText(experiment, $$"""
            name: question
            seed: 3
            analysis: { kind: histogram, question: place, edges: [{{string.Join(", ", Enumerable.Range(0, clients + 1))}}], epsilon: 20, oracle: grr, defences: false }
            strategy: { scheduler: { kind: buffered, concurrency: {{Wave}}, aggregationGoal: {{Wave}} } }
            run: { stop: { clientUpdates: {{clients}} } }
            {{(isShuffled ? "privacy: { kind: shuffle, delta: 1e-6, batchSeconds: 3600, shufflers: [s1] }" : "")}}
            """);
        var random = new SeededRandom(5);
        var clock = Stopwatch.StartNew();
        var coordinator = await StartCoordinatorAsync();
        var shuffler = isShuffled ? await StartShufflerAsync() : null;
        try
        {
            if (isShuffled)
            {
                await Fed.RunAsync("shufflers", "add", "s1", "--address", shufflerUrl, "--url", url);
            }

            await Fed.RunAsync("runs", "create", experiment, "--id", "question", "--url", url);
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5 + (kills / 4)));
            List<Task<SessionSummary>> sessions = [];
            var (ofShuffler, charged, amid) = (0, 0, 0);
            for (var kill = 0; kill < kills; kill++)
            {
                sessions.AddRange(Enumerable.Range(kill * Wave, Wave).Select(index => AnswerAsync(index, limit.Token)));
                await RunLog.GrowsAsync(Path.Combine(folder, "coordinator"), limit.Token);
                await Task.Delay(random.NextInt(400), limit.Token); // The instant is the point: no event is waited for.
                var heard = sessions.Count(s => s.IsCompletedSuccessfully);
                var victim = isShuffled ? random.NextInt(3) : 1; // The shuffler, the coordinator, or both.
                if (victim != 1)
                {
                    ofShuffler++;
                    shuffler!.Dispose();
                }

                if (victim != 0)
                {
                    coordinator.Dispose();
                    coordinator = await StartCoordinatorAsync();
                }

                if (victim != 1)
                {
                    shuffler = await StartShufflerAsync();
                }

                var now = (await TestCoordinator.ReadAsync(new Uri(url), "/v1/runs/question/privacy", WireJson.Default.RunPrivacyMessage)).ClientsCharged;
                Assert.True(now >= charged && now >= heard, $"{charged} clients were charged, {heard} were told that their reports count, and after kill {kill} {now} are charged.");
                amid += now > charged ? 1 : 0;
                charged = now;
            }

            sessions.AddRange(Enumerable.Range(kills * Wave, Wave).Select(index => AnswerAsync(index, limit.Token)));
            Assert.All(await Task.WhenAll(sessions), s => Assert.Equal(1, s.Accepted));
            await CheckAsync(clients);
            output.WriteLine($"{kills} kills ({ofShuffler} of the shuffler; {amid} with new reports since the last), {clients} reports, each counted once, in {clock.Elapsed.TotalSeconds:F0} s.");
        }
        finally
        {
            shuffler?.Dispose();
            coordinator.Dispose();
        }
    }

    private async Task CheckAsync(int clients)
    {
        var run = await TestCoordinator.ReadAsync(new Uri(url), "/v1/runs/question", WireJson.Default.RunDetailMessage);
        var counters = run.Summary;
        Assert.Equal((clients / Wave, clients, 0, 0, clients), (counters.Version, (int)counters.Accepted, (int)counters.Rejected, (int)counters.Lost, (int)counters.Dispatched));
        Assert.Equal((clients, 0), (run.Analysis!.Reports, run.Analysis.Malformed));
        Assert.All(run.Analysis.Estimates, e => Assert.Equal(1.0 / clients, e.Value, 1e-5));
        Assert.Equal(clients, run.Analysis.Estimates.Count);
        var privacy = await TestCoordinator.ReadAsync(new Uri(url), "/v1/runs/question/privacy", WireJson.Default.RunPrivacyMessage);
        Assert.Equal(clients, privacy.ClientsCharged);
        Assert.All(privacy.Clients, c => Assert.Equal(1, c.Participations));
        Assert.Equal(privacy.Statement.Planned!.Epsilon, privacy.Statement.Spent!.Epsilon);
    }

    private Task<SessionSummary> AnswerAsync(int index, CancellationToken cancellation) => Participant.AnswerAsync(
        Participant.OptionsOf("question", Person.Name(index), new Uri(url)) with { MaxUpdates = 1 }, new Place(index), Participant.Transport(null, new Uri(url)), cancellation);

    private async Task<ServiceProcess> StartCoordinatorAsync()
    {
        var process = await ServiceProcess.StartAsync(url, true, "serve", "--data", Path.Combine(folder, "coordinator"));
        while (LocalCoordinator.Find(new Uri(url)) is null)
        {
            Assert.False(process.HasExited, process.Output);
            await Task.Delay(20); // It is ready an instant before its tokens can be found.
        }

        return process;
    }

    private Task<ServiceProcess> StartShufflerAsync() =>
        ServiceProcess.StartAsync(shufflerUrl, true, "shuffler", "--data", Path.Combine(folder, "shuffler"), "--name", "s1", "--to", url);

    /// <summary>Every client is somewhere else.</summary>
    private sealed class Place(int index) : IAnalyst
    {
        public AnalysisAnswer? Answer(AnalysisOptions question, CancellationToken cancellation) => AnalysisAnswer.Of(index + 0.5);
    }
}

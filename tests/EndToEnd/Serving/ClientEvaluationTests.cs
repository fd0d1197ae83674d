using System.Globalization;
using System.Text.Json;
using Federated.Aggregation.Randomness;

namespace Federated.EndToEnd.Serving;

/// <summary>Where the coordinator has no data, the clients say how good a version is: three processes, and what an operator reads of it.</summary>
public sealed class ClientEvaluationTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly string folder = Directory.CreateTempSubdirectory("federated-evaluation-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("{ kind: synchronous, cohort: 3 }", 3)] // All three are always at work.
    [InlineData("{ kind: buffered, concurrency: 3, aggregationGoal: 1 }", 1)] // There is always work in the reply to an update.
    public async Task EveryVersionIsScoredByTheClientsOnTheirOwnData(string scheduler, int updatesPerVersion)
    {
        const int Versions = 9;
        File.WriteAllText(At("wards.yaml"), $$"""
            name: wards
            input: { shape: [2], classes: 2 }
            model: { kind: softmax }
            training: { kind: local, batchSize: 10, optimizer: { kind: sgd, learningRate: 0.1 } }
            strategy: { scheduler: {{scheduler}}, serverOptimizer: { kind: sgd, learningRate: 0.3 } } # Three stale updates at rate 1 overshoot, and may turn the model over.
            run: { stop: { versions: {{Versions}} }, evaluateEvery: 3 }
            clients: { count: 3 }
            """);
        double[] mislabelled = [0, 0.2, 0.4];
        await using var coordinator = await ServedCoordinator.StartAsync(At("coordinator"));
        await Fed.RunAsync("runs", "create", At("wards.yaml"), "--id", "wards", "--url", coordinator.Url);
        var clients = mislabelled.Select((share, i) =>
        {
            Table($"ward-{i}", share, (ulong)i + 1);
            return new ClientProcess("--server", coordinator.Url, "--run", "wards", "--data", At($"ward-{i}"), "--state", At($"state-{i}"));
        }).ToList();
        try
        {
            foreach (var client in clients)
            {
                Assert.True(await client.SaysAsync("Done:", Patience), client.Output);
                Assert.Contains("version 9: accuracy", client.Output, StringComparison.Ordinal);
            }
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }

        var run = await Fed.RunJsonAsync("runs", "show", "wards", "--url", coordinator.Url);
        var evaluations = run.GetProperty("evaluations").EnumerateArray().ToList();
        Assert.Equal(updatesPerVersion * Versions, run.GetProperty("summary").GetProperty("accepted").GetInt32());
        Assert.Equal([0, 9], new[] { evaluations[0], evaluations[^1] }.Select(e => e.GetProperty("version").GetInt32()));
        Assert.All(evaluations, e => Assert.InRange(e.GetProperty("spread").GetProperty("clients").GetInt32(), 1, 3));

        // The last version separates the points; what is mislabelled it cannot know.
        var scores = run.GetProperty("clientScores");
        Assert.Equal((9, 3), (scores.GetProperty("version").GetInt32(), scores.GetProperty("clients").GetInt32()));
        Assert.Equal(3, scores.GetProperty("scores").GetArrayLength());
        Assert.All(scores.GetProperty("scores").EnumerateArray(), score =>
        {
            var ward = score.GetProperty("name").GetString()![^1] - '0';
            Assert.InRange(score.GetProperty("accuracy").GetDouble(), 1 - mislabelled[ward] - 0.17, Math.Min(1, 1 - mislabelled[ward] + 0.17));
        });
        Assert.True(Number(scores, "minimum") < Number(scores, "median") && Number(scores, "median") < Number(scores, "maximum"), scores.GetRawText());
        var text = await Fed.RunAsync("runs", "show", "wards", "--url", coordinator.Url);
        Assert.Contains("On their own data, 3 clients score version 9 at", text, StringComparison.Ordinal);
        await Fed.RunAsync("runs", "export", "wards", "--out", At("wards.safetensors"), "--url", coordinator.Url);
        Assert.Contains("over 3 clients; lowest", File.ReadAllText(At("wards.md")), StringComparison.Ordinal);
    }

    private static double Number(JsonElement json, string name) => json.GetProperty(name).GetDouble();

    private string At(string name) => Path.Combine(folder, name);

    /// <summary>Two clouds of points around (±1, ±1), 200 rows each; a share of the labels is the wrong one.</summary>
    private void Table(string name, double mislabelled, ulong seed)
    {
        Directory.CreateDirectory(At(name));
        var random = new SeededRandom(seed);
        var rows = Enumerable.Range(0, 400).Select(i =>
        {
            var centre = i % 2 == 0 ? -1.0 : 1.0;
            var label = (i + (random.NextDouble() < mislabelled ? 1 : 0)) % 2;
            return string.Create(CultureInfo.InvariantCulture, $"{centre + random.NextDouble() - 0.5:R},{centre + random.NextDouble() - 0.5:R},{label}");
        });
        File.WriteAllLines(Path.Combine(At(name), "patients.csv"), rows.Prepend("x,y,label"));
    }
}

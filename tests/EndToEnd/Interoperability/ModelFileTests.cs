using System.Globalization;
using System.Text.Json;
using Federated.Aggregation.Randomness;
using Federated.Cli;

namespace Federated.EndToEnd.Interoperability;

/// <summary>What a run leaves behind is of use without us: another language reads the model and comes to the same scores.</summary>
public sealed class ModelFileTests : IDisposable
{
    private const string Experiment = """
        name: clusters
        data:
          source: {kind: leaf, train: [train.json], test: [test.json], classes: 3}
        model: {kind: mlp, hidden: [7, 5]}
        training: {kind: local, epochs: 2, batchSize: 5, optimizer: {kind: sgd, learningRate: 0.1}}
        strategy:
          scheduler: {kind: synchronous, cohort: 2}
        run:
          stop: {versions: 15}
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("fed-model-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [PythonFact]
    public async Task PythonReadsTheModelAndComesToTheSameScores()
    {
        await File.WriteAllTextAsync(PathOf("train.json"), Leaf(clients: 3, examples: 30));
        await File.WriteAllTextAsync(PathOf("test.json"), Leaf(clients: 1, examples: 200));
        await File.WriteAllTextAsync(PathOf("experiment.yaml"), Experiment);
        using var output = new StringWriter();
        using var error = new StringWriter();
        using var terminal = new Terminal(output, error, isLive: false, TimeProvider.System);
        var exitCode = await CommandLine.InvokeAsync(["run", PathOf("experiment.yaml"), "--data-dir", folder, "--out", PathOf("results"), "--quiet"], terminal);
        Assert.True(exitCode == 0, error.ToString());

        var python = await PythonFactAttribute.RunAsync(
            Path.Combine(Build.RepositoryRoot, "tests", "EndToEnd", "Interoperability", "read_model.py"), PathOf("results", "model.safetensors"), PathOf("test.json"));
        Assert.True(python.Code == 0, python.Error);
        using var read = JsonDocument.Parse(python.Output);
        using var summary = JsonDocument.Parse(await File.ReadAllTextAsync(PathOf("results", "summary.json")));
        Assert.Equal(
            """{"fc1.weight": [7, 2], "fc1.bias": [7], "fc2.weight": [5, 7], "fc2.bias": [5], "fc3.weight": [3, 5], "fc3.bias": [3]}""",
            read.RootElement.GetProperty("shapes").GetRawText());
        Assert.Equal(Number(summary, "final_accuracy"), Number(read, "accuracy"));
        Assert.InRange(Math.Abs(Number(summary, "final_loss") - Number(read, "loss")), 0, 1e-5);
        Assert.InRange(Number(read, "accuracy"), 0.8, 1); // Wrong values would not classify.
    }

    private static double Number(JsonDocument json, string name) => json.RootElement.GetProperty(name).GetDouble();

    private string PathOf(params string[] parts) => Path.Combine([folder, .. parts]);

    /// <summary>Three clusters at the corners of a triangle.</summary>
    private static string Leaf(int clients, int examples)
    {
        var random = new SeededRandom((ulong)examples);
        var users = Enumerable.Range(0, clients).Select(i => $"u{i}").ToArray();
        var data = users.Select(user =>
        {
            var labels = Enumerable.Range(0, examples).Select(i => i % 3).ToArray();
            var rows = labels.Select(label => string.Create(
                CultureInfo.InvariantCulture,
                $"[{Math.Cos(label * 2.1) + random.NextDouble() - 0.5:F4},{Math.Sin(label * 2.1) + random.NextDouble() - 0.5:F4}]")).ToArray();
            return $"\"{user}\":{{\"x\":[{string.Join(',', rows)}],\"y\":[{string.Join(',', labels)}]}}";
        }).ToArray();
        return $"{{\"users\":[{string.Join(',', users.Select(u => $"\"{u}\""))}],\"num_samples\":[{string.Join(',', users.Select(_ => examples))}],"
            + $"\"user_data\":{{{string.Join(',', data)}}}}}";
    }
}

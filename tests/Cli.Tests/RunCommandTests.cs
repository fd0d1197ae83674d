using System.Text.Json;

namespace Federated.Cli.Tests;

public sealed class RunCommandTests : IDisposable
{
    private readonly FedProcess fed = new();

    public void Dispose() => fed.Dispose();

    private async Task<JsonElement> RunTiny(string name, params string[] more)
    {
        Assert.True(await fed.RunAsync(["run", fed.File("tiny.yaml", FedProcess.Tiny), "--out", fed.PathOf(name), "--json", .. more]) == 0, fed.Error);
        using var json = JsonDocument.Parse(fed.Out);
        return json.RootElement.Clone();
    }

    private static string Hash(JsonElement result) => result.GetProperty("summary").GetProperty("model_sha256").GetString()!;

    [Fact]
    public async Task WritesEveryFileOfTheFormat()
    {
        await RunTiny("results");
        Assert.Equal(
            ["config.yaml", "metrics.csv", "model.safetensors", "participation.csv", "report.html", "scores.csv", "summary.json", "updates.csv"],
            Directory.EnumerateFiles(fed.PathOf("results")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
        Assert.Equal(1 + 5, File.ReadLines(fed.PathOf("results", "metrics.csv")).Count());
        Assert.Equal(1 + 8, File.ReadLines(fed.PathOf("results", "updates.csv")).Count());
    }

    [Fact]
    public async Task APrivateRunTellsItsEpsilonAsItGoesAndItsGuaranteeAtTheEnd()
    {
        Assert.True(
            await fed.RunAsync(
                "run", fed.File("tiny.yaml", FedProcess.Tiny), "--out", fed.PathOf("private"), "--set", "strategy.exampleWeight=equal",
                "--set", "privacy={kind: central, delta: 1e-5, mechanism: {kind: dp-fedavg, noiseMultiplier: 2}}") == 0,
            fed.Error);
        Assert.Contains("ε 0", fed.Out, StringComparison.Ordinal);
        Assert.Contains("drawn from the seed, so it protects nobody", fed.Out, StringComparison.Ordinal);
        Assert.Contains("-DP, zero-out client, central trust, by analytic-gaussian", fed.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheHashIsThatOfTheModelFile()
    {
        var result = await RunTiny("results");
        var bytes = await File.ReadAllBytesAsync(fed.PathOf("results", "model.safetensors"));
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)), Hash(result));
    }

    [Fact]
    public async Task TheSameCommandGivesTheSameModelOnAnyNumberOfThreadsAndAnotherSeedAnother()
    {
        var first = Hash(await RunTiny("a"));
        Assert.Equal(first, Hash(await RunTiny("b")));
        foreach (var threads in (string[])["1", "2", "4"])
        {
            Assert.Equal(first, Hash(await RunTiny("c", "--threads", threads)));
        }

        Assert.NotEqual(first, Hash(await RunTiny("d", "--seed", "2")));
    }

    [Fact]
    public async Task TheResolvedConfigurationRunsToTheSameModel()
    {
        var first = await RunTiny("a", "--set", "training.batchSize=5");
        var again = fed.PathOf("a", "config.yaml");
        Assert.Equal(0, await fed.RunAsync("run", again, "--out", fed.PathOf("b"), "--json"));
        using var json = JsonDocument.Parse(fed.Out);
        Assert.Equal(Hash(first), Hash(json.RootElement));
        Assert.Equal(await File.ReadAllTextAsync(again), await File.ReadAllTextAsync(fed.PathOf("b", "config.yaml")));
    }

    [Fact]
    public async Task SeedAndThreadsHaveOptionsOfTheirOwn()
    {
        await RunTiny("results", "--seed", "18446744073709551615", "--threads", "3", "--set", "seed=5");
        var config = await File.ReadAllTextAsync(fed.PathOf("results", "config.yaml"));
        Assert.Contains("seed: 18446744073709551615\nthreads: 3\n", config, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UpdatesCanBeLeftOut()
    {
        await RunTiny("results", "--no-updates");
        Assert.False(File.Exists(fed.PathOf("results", "updates.csv")));
    }

    [Fact]
    public async Task ProgressIsLinesWhenPiped()
    {
        Assert.Equal(0, await fed.RunAsync("run", fed.File("tiny.yaml", FedProcess.Tiny), "--out", fed.PathOf("results")));
        var lines = fed.Out.Split('\n');
        Assert.StartsWith("tiny: 4 clients, drawn-digits: 48 training examples, seed 1,", lines[0], StringComparison.Ordinal);
        Assert.Contains(lines, line => line.StartsWith("version 0  accuracy ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line == $"Report: {fed.PathOf("results", "report.html")}");
        Assert.DoesNotContain('\u001b', fed.Out);
    }

    [Fact]
    public async Task QuietSaysOnlyTheResult()
    {
        Assert.Equal(0, await fed.RunAsync("run", fed.File("tiny.yaml", FedProcess.Tiny), "--out", fed.PathOf("results"), "--quiet"));
        Assert.StartsWith("Done: ", fed.Out.Trim(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task CheckPrintsTheResolvedConfigurationAndWritesNothing()
    {
        Assert.Equal(0, await fed.RunAsync("run", fed.File("tiny.yaml", FedProcess.Tiny), "--out", fed.PathOf("results"), "--check"));
        Assert.Contains("learningRate: 0.1\n", fed.Out, StringComparison.Ordinal);
        Assert.False(Directory.Exists(fed.PathOf("results")));
    }

    [Fact]
    public async Task TheTimelineAloneRunsWithoutDataOrModel()
    {
        var path = fed.File("timeline.yaml", "training: none\nclients: {count: 16}\nrun: {stop: {versions: 3}}\n");
        Assert.Equal(0, await fed.RunAsync("run", path, "--out", fed.PathOf("results")));
        Assert.False(File.Exists(fed.PathOf("results", "model.safetensors")));
        Assert.True(File.Exists(fed.PathOf("results", "report.html")));
    }
}

using System.Text.Json;
using Federated.Cli.Commands;
using Federated.Cli.Output;

namespace Federated.Cli.Tests;

public sealed class CommandTests : IDisposable
{
    private readonly FedProcess fed = new();

    public void Dispose() => fed.Dispose();

    public sealed class Help : IDisposable
    {
        private readonly FedProcess fed = new();

        public void Dispose() => fed.Dispose();

        [Theory]
        [InlineData("")]
        [InlineData("demo")]
        [InlineData("run")]
        [InlineData("compare")]
        [InlineData("data")]
        [InlineData("data list")]
        [InlineData("data get")]
        [InlineData("schema")]
        [InlineData("version")]
        public async Task EveryVerbHasExamples(string verb)
        {
            Assert.Equal(0, await fed.RunAsync([.. verb.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]));
            Assert.Contains($"Examples:\n  fed {verb}", fed.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
            Assert.Empty(fed.Error);
        }

        [Fact]
        public async Task NoVerbShowsTheHelpAndIsAUsageError()
        {
            Assert.Equal(2, await fed.RunAsync());
            Assert.Contains("Commands:", fed.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task DemoRunsTheFileOfTheRepository()
    {
        Assert.Equal(await File.ReadAllTextAsync(Path.Combine(FedProcess.RepositoryRoot, "experiments", "demo.yaml")), DemoCommand.Text());
        Assert.True(
            await fed.RunAsync("demo", "--set", "run.stop.versions=1", "--set", "data.source.trainPerWriter=4", "--set", "data.source.testPerWriter=1", "--out", fed.PathOf("demo")) == 0,
            fed.Error);
    }

    [Fact]
    public async Task CompareWritesAPageAndATable()
    {
        var tiny = fed.File("tiny.yaml", FedProcess.Tiny);
        await fed.RunAsync("run", tiny, "--out", fed.PathOf("a"));
        await fed.RunAsync("run", tiny, "--out", fed.PathOf("b"), "--seed", "2");
        Assert.Equal(0, await fed.RunAsync("compare", fed.PathOf("a"), fed.PathOf("b"), "--out", fed.PathOf("c.html")));
        Assert.Contains("<h1>2 runs compared</h1>", await File.ReadAllTextAsync(fed.PathOf("c.html")), StringComparison.Ordinal);
        Assert.Equal(["run", "a", "b"], fed.Out.Split('\n').Take(3).Select(line => line.Split(' ')[0]));

        Assert.Equal(0, await fed.RunAsync("compare", fed.PathOf("a"), "--out", fed.PathOf("c.html"), "--json"));
        using var json = JsonDocument.Parse(fed.Out);
        Assert.Equal("tiny", json.RootElement.GetProperty("runs")[0].GetProperty("summary").GetProperty("run").GetString());
    }

    [Fact]
    public async Task DataListSaysWhatIsHere()
    {
        Assert.Equal(0, await fed.RunAsync("data", "list", "--data-dir", fed.Folder, "--json"));
        using var json = JsonDocument.Parse(fed.Out);
        var sets = json.RootElement.GetProperty("sets").EnumerateArray().ToDictionary(set => set.GetProperty("name").GetString()!);
        Assert.False(sets["mnist"].GetProperty("here").GetBoolean());
        Assert.True(sets["drawn-digits"].GetProperty("generated").GetBoolean());
        Assert.Equal(64, sets["mnist"].GetProperty("files")[0].GetProperty("sha256").GetString()!.Length);
        Assert.Equal(0, await fed.RunAsync("data", "list", "--data-dir", fed.Folder));
        Assert.Contains("mnist", fed.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VersionIsForPeopleAndForMachines()
    {
        Assert.Equal(0, await fed.RunAsync("version"));
        Assert.StartsWith("fed 0.", fed.Out, StringComparison.Ordinal);
        Assert.Equal(0, await fed.RunAsync("version", "--json"));
        using var json = JsonDocument.Parse(fed.Out);
        Assert.StartsWith(".NET 10", json.RootElement.GetProperty("runtime").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ThePublishedSchemaIsCurrent()
    {
        Assert.Equal(0, await fed.RunAsync("schema"));
        var published = Path.Combine(FedProcess.RepositoryRoot, "experiments", "schema.json");
        Assert.True(fed.Out == await File.ReadAllTextAsync(published), "experiments/schema.json is not what the option types say. Write it anew: ./fed schema > experiments/schema.json");
    }

    [Fact]
    public void EveryPublishedExperimentIsValid()
    {
        var files = Directory.EnumerateFiles(Path.Combine(FedProcess.RepositoryRoot, "experiments"), "*.yaml", SearchOption.AllDirectories).ToList();
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            var result = Simulation.Configuration.ConfigurationFile.Load<Simulation.ExperimentConfiguration>(file);
            Assert.True(result.IsValid, string.Join("\n", result.Errors));
        }

    }

    [Fact]
    public async Task TheExperimentOfTheDocumentationIsValid()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(FedProcess.RepositoryRoot, "docs", "experiments.md"));
        var yaml = page.Split("```yaml\n")[1].Split("```")[0];
        var result = Simulation.Configuration.ConfigurationFile.Read<Simulation.ExperimentConfiguration>(
            yaml, "docs/experiments.md", "training.epochs=1", "model.hidden[0]=50", "strategy.scheduler={kind: buffered, concurrency: 20}");
        Assert.True(result.IsValid, string.Join("\n", result.Errors));
    }

    [Fact]
    public void AResultsFolderIsNewAndInsideItsRoot()
    {
        Assert.Equal(fed.PathOf("my-run"), ResultsPath.New(fed.Folder, "my run"));
        Directory.CreateDirectory(fed.PathOf("my-run"));
        Directory.CreateDirectory(fed.PathOf("my-run-2"));
        Assert.Equal(fed.PathOf("my-run-3"), ResultsPath.New(fed.Folder, "my run"));
        Assert.Equal(fed.PathOf("etc-passwd"), ResultsPath.New(fed.Folder, "../../etc/passwd"));
        Assert.Equal(fed.PathOf("run"), ResultsPath.New(fed.Folder, ".."));
    }

    [Theory]
    [InlineData(new[] { 0.0, 1.0 }, "▁█")]
    [InlineData(new[] { 0.0, 0.5, double.NaN, 1.0 }, "▁▅ █")]
    [InlineData(new[] { 3.0, 3.0 }, "▁▁")]
    [InlineData(new double[0], "")]
    public void ASparklineIsOneLine(double[] values, string line) => Assert.Equal(line, Sparkline.Of(values, 10));

    [Fact]
    public void ALongSparklineKeepsItsWidthAndItsEnd() => Assert.Equal("▁▃▆█", Sparkline.Of([.. Enumerable.Range(1, 100).Select(i => (double)i)], 4));
}

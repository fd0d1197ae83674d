using System.Text.Json;

namespace Federated.Cli.Tests;

/// <summary>The documented exit codes, each by something that happens to people.</summary>
public sealed class ExitCodeTests : IDisposable
{
    private readonly FedProcess fed = new();

    public void Dispose() => fed.Dispose();

    private async Task<int> RunTiny(params string[] more) => await fed.RunAsync(["run", fed.File("tiny.yaml", FedProcess.Tiny), "--out", fed.PathOf("results"), .. more]);

    [Fact]
    public async Task ARunThatReachesItsEndIs0()
    {
        Assert.Equal(0, await RunTiny());
        Assert.Empty(fed.Error);
    }

    [Theory]
    [InlineData("rnu", "fed: 'rnu' is not understood here; did you mean run?")]
    [InlineData("run x.yaml --threds 3", "fed: '--threds' is not understood here; did you mean --threads?")]
    [InlineData("run x.yaml --seed -3", "fed: --seed needs a whole number of 0 or more; there is '-3'.")]
    [InlineData("run x.yaml --threads many", "fed: --threads needs a whole number; there is 'many'.")]
    [InlineData("run x.yaml --out", "fed: --out needs a value (DIR):")]
    [InlineData("run", "fed: <file> is missing: The experiment, a YAML file")]
    [InlineData("run no-such.yaml", "fed: no-such.yaml: there is no such file.")]
    [InlineData("compare /no/such", "fed: There is no folder /no/such.")]
    [InlineData("data get no-such-set", "fed: There is no data set 'no-such-set'; there are drawn-digits,")]
    [InlineData("data get drawn-digits", "fed: Data set 'drawn-digits' is generated when it is used; there is nothing to download.")]
    public async Task ACommandLineThatIsNotRightIs2(string line, string message)
    {
        Assert.Equal(2, await fed.RunAsync(line.Split(' ')));
        Assert.StartsWith(message, fed.Error, StringComparison.Ordinal);
        Assert.Empty(fed.Out);
    }

    [Theory]
    [InlineData("strategy.schedular=synchronous", "there is no key 'schedular'; did you mean 'scheduler'?")]
    [InlineData("strategy.scheduler.cohort=0", "must be 1 or more; there is 0.")]
    [InlineData("strategy.scheduler.cohort=9", "but there are 4")]
    [InlineData("strategy.scheduler={kind: buffered, concurrency: 2, aggregationGoal: 3}", "above the concurrency of 2")]
    [InlineData("clients.count=7", "clients.count is 7")]
    [InlineData("data=null", "there is no data section")]
    [InlineData("data=null", "Serve it: fed serve", "--set", "input={shape: [4], classes: 2}")]
    public async Task AConfigurationThatIsNotRightIs2AndNothingIsWritten(string set, string message, params string[] more)
    {
        Assert.Equal(2, await RunTiny(["--set", set, .. more]));
        Assert.Contains(message, fed.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(fed.PathOf("results")));
    }

    [Theory]
    [InlineData("data={set: mnist}", "needs train-images-idx3-ubyte")]
    [InlineData("data.partition={kind: shards, clients: 1000}", "Partition 'shards'")]
    [InlineData("data.partition={kind: iid, clients: 1000}", "1000")]
    public async Task DataThatAreNotThereOrCannotBeSplitAre3AndNothingIsWritten(string set, string message)
    {
        Assert.Equal(3, await RunTiny("--set", set, "--data-dir", fed.PathOf("no-data")));
        Assert.Contains(message, fed.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(fed.PathOf("results")));
    }

    [Fact]
    public async Task ATruncatedArchiveIs3()
    {
        var folder = Directory.CreateDirectory(fed.PathOf("data", "mnist")).FullName;
        foreach (var name in (string[])["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, name + ".gz"), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 99]);
        }

        Assert.Equal(3, await RunTiny("--set", "data={set: mnist, partition: {kind: iid, clients: 4}}", "--data-dir", fed.PathOf("data")));
        Assert.Contains("train-images-idx3-ubyte.gz", fed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DivergenceIs4AndTheResultsSayWhy()
    {
        Assert.Equal(4, await RunTiny("--set", "training.optimizer={kind: sgd, learningRate: 1e38}", "--set", "run.divergenceLimit=1", "--set", "run.stop.versions=1000"));
        Assert.Contains("did not end well (diverged)", fed.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Done", fed.Out, StringComparison.Ordinal);
        using var summary = JsonDocument.Parse(await File.ReadAllTextAsync(fed.PathOf("results", "summary.json")));
        Assert.Equal("diverged", summary.RootElement.GetProperty("finish_reason").GetString());
        Assert.False(File.Exists(fed.PathOf("results", ".partial")));
    }

    [Fact]
    public async Task AResultsFolderThatCannotBeWrittenIs5BeforeAnythingIsComputed()
    {
        var file = fed.File("file", "");
        Assert.Equal(5, await fed.RunAsync("run", fed.File("tiny.yaml", FedProcess.Tiny), "--out", Path.Combine(file, "results")));
        Assert.Contains("cannot be written", fed.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("version", fed.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnInterruptedRunIs130AndKeepsWhatThereIs()
    {
        var path = fed.File("tiny.yaml", FedProcess.Tiny);
        Assert.Equal(130, await fed.RunAsync(terminal => terminal.Interrupt(), "run", path, "--set", "run.stop.versions=100000000", "--out", fed.PathOf("results")));
        Assert.Contains("Interrupted:", fed.Out, StringComparison.Ordinal);
        Assert.Equal(
            ["config.yaml", "metrics.csv", "model.safetensors", "report.html", "scores.csv", "summary.json", "updates.csv"],
            Directory.EnumerateFiles(fed.PathOf("results")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
        Assert.Contains("Interrupted.", await File.ReadAllTextAsync(fed.PathOf("results", "report.html")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithJsonAnErrorIsADocumentOnStdoutToo()
    {
        Assert.Equal(2, await fed.RunAsync("run", "no-such.yaml", "--json"));
        using var json = JsonDocument.Parse(fed.Out);
        var error = json.RootElement.GetProperty("error");
        Assert.Equal((2, "usage"), (error.GetProperty("exit_code").GetInt32(), error.GetProperty("kind").GetString()));
        Assert.Equal("no-such.yaml: there is no such file.", error.GetProperty("messages")[0].GetString());
    }

    [Fact]
    public async Task EveryExitCodeIsDocumented()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(FedProcess.RepositoryRoot, "docs", "exit-codes.md"));
        foreach (var field in typeof(ExitCodes).GetFields())
        {
            Assert.Contains($"| {field.GetRawConstantValue()} | ", page, StringComparison.Ordinal);
        }
    }
}

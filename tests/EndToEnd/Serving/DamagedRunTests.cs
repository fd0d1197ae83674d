namespace Federated.EndToEnd.Serving;

/// <summary>A run whose snapshot has lost a bit, with the command line as its operator: it is told what is wrong and where, and the rest goes on.</summary>
public sealed class DamagedRunTests : IDisposable
{
    private const string Experiment = """
        name: small
        input: { shape: [2], classes: 2 }
        model: { kind: softmax }
        training: { kind: local, batchSize: 10, optimizer: { kind: sgd, learningRate: 0.1 } }
        strategy: { scheduler: { kind: buffered, concurrency: 2, aggregationGoal: 1 } }
        run: { evaluateEvery: 0, stop: { versions: 10 } }
        clients: { count: 2 }
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("federated-damaged-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task ItsOperatorIsToldWhichFileAndTheOtherRunGoesOn()
    {
        var (file, data) = (Path.Combine(folder, "small.yaml"), Path.Combine(folder, "coordinator"));
        await File.WriteAllTextAsync(file, Experiment);
        await using (var before = await ServedCoordinator.StartAsync(data))
        {
            await Fed.RunAsync("runs", "create", file, "--id", "lost", "--url", before.Url);
            await Fed.RunAsync("runs", "create", file, "--id", "sound", "--url", before.Url);
        }

        var snapshot = Directory.GetFiles(Path.Combine(data, "store", "runs"), "snapshot-*", SearchOption.AllDirectories).Single(path => path.Contains("lost.", StringComparison.Ordinal));
        var bytes = await File.ReadAllBytesAsync(snapshot);
        bytes[^5] ^= 1;
        await File.WriteAllBytesAsync(snapshot, bytes);

        await using var coordinator = await ServedCoordinator.StartAsync(data); // It is ready.
        var list = await Fed.RunAsync("runs", "list", "--url", coordinator.Url);
        Assert.Contains("lost is damaged: Snapshot 'runs/lost.", list, StringComparison.Ordinal);
        Assert.DoesNotContain("sound is", list, StringComparison.Ordinal);
        var shown = await Fed.RunAsync("runs", "show", "lost", "--url", coordinator.Url);
        Assert.StartsWith("lost  damaged: Snapshot 'runs/lost.", shown, StringComparison.Ordinal);
        Assert.Contains("restore the folder from a backup", shown, StringComparison.Ordinal);
        var (code, _, error) = await Fed.TryAsync("runs", "pause", "lost", "--url", coordinator.Url);
        Assert.NotEqual(0, code);
        Assert.Contains("Run 'lost' is damaged: Snapshot", error, StringComparison.Ordinal);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(snapshot));
        await Fed.RunAsync("runs", "stop", "sound", "--url", coordinator.Url);
        await Fed.RunAsync("runs", "delete", "lost", "--yes", "--url", coordinator.Url);
        Assert.DoesNotContain("lost", await Fed.RunAsync("runs", "list", "--url", coordinator.Url), StringComparison.Ordinal);
    }
}

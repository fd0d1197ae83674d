using System.Globalization;
using System.Text.Json;
using Federated.Aggregation.Randomness;

namespace Federated.EndToEnd.Serving;

/// <summary>Real clients against a real coordinator over loopback.</summary>
public sealed class ServedRunTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly string folder = Directory.CreateTempSubdirectory("federated-served-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("")]
    [InlineData("compression: { codec: { kind: top-k, ratio: 0.1 }, feedback: { kind: ef14 } }")]
    [InlineData("compression: { codec: { kind: qsgd } }")]
    [InlineData("objective: { kind: scaffold }")]
    [InlineData("objective: { kind: feddyn }\n  exampleWeight: equal")]
    public async Task ASynchronousRunIsTheSimulatedOneToTheBit(string strategy)
    {
        var experiment = Write("sync.yaml", $$"""
            name: sync
            seed: 7
            data:
              source: { kind: drawn-digits, writers: 4, trainPerWriter: 30, testPerWriter: 10, size: 12 }
            model: { kind: mlp, hidden: [16] }
            training: { kind: local, epochs: 2, batchSize: 10, optimizer: { kind: sgd, learningRate: 0.1 } }
            strategy:
              scheduler: { kind: synchronous, cohort: 4 }
              {{strategy}}
            run: { stop: { versions: 4 } }
            clients: { count: 4 }
            """);
        await Fed.RunAsync("run", experiment, "--out", At("results"), "--quiet");
        await using var coordinator = await ServedCoordinator.StartAsync(At("coordinator"));
        await Fed.RunAsync("runs", "create", experiment, "--id", "sync", "--url", coordinator.Url);
        var clients = await Fed.RunJsonAsync("client", "--server", coordinator.Url, "--run", "sync", "--experiment", experiment, "--count", "4", "--in-order");
        Assert.Equal((16, 0, 0), (Number(clients, "accepted"), Number(clients, "rejected"), Number(clients, "given_up")));
        await Fed.RunAsync("runs", "export", "sync", "--version", "latest", "--out", At("served.safetensors"), "--url", coordinator.Url);
        Assert.Equal(Convert.ToHexString(File.ReadAllBytes(At("results/model.safetensors"))), Convert.ToHexString(File.ReadAllBytes(At("served.safetensors"))));
    }

    [Fact]
    public async Task TwoClientsWithFoldersOfTheirOwnConverge()
    {
        var experiment = Write("tables.yaml", """
            name: tables
            input: { shape: [2], classes: 2 }
            model: { kind: softmax }
            training: { kind: local, epochs: 5, batchSize: 10, optimizer: { kind: sgd, learningRate: 0.3 } }
            strategy: { scheduler: { kind: synchronous, cohort: 2 } }
            run: { stop: { versions: 10 } }
            clients: { count: 2 }
            """);
        await using var coordinator = await ServedCoordinator.StartAsync(At("coordinator"));
        await Fed.RunAsync("runs", "create", experiment, "--id", "tables", "--url", coordinator.Url);
        string[] wards = ["ward-a", "ward-b"];
        var clients = await Task.WhenAll(wards.Select((ward, i) =>
        {
            Table(ward, seed: (ulong)i + 1);
            return Fed.RunAsync("client", "--server", coordinator.Url, "--run", "tables", "--data", At(ward), "--state", At($"state-{ward}"));
        }));
        Assert.All(clients, lines =>
        {
            var losses = lines.Split('\n').Where(l => l.Contains("loss ", StringComparison.Ordinal))
                .Select(l => double.Parse(l.Split("loss ")[1].Split(';')[0], CultureInfo.InvariantCulture)).ToList();
            Assert.Equal(10, losses.Count);
            Assert.True(losses[^1] < 0.2 && losses[^1] < losses[0], $"The losses were {string.Join(", ", losses)}.");
            Assert.Contains("Done:", lines, StringComparison.Ordinal);
        });
        var shown = await Fed.RunAsync("runs", "show", "tables", "--url", coordinator.Url);
        Assert.Contains("20 accepted, 0 rejected, 0 lost of 20", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACertificateOfThePrivateAuthorityTakesThePlaceOfEnrolment()
    {
        var experiment = Write("tables.yaml", """
            name: tables
            input: { shape: [2], classes: 2 }
            model: { kind: softmax }
            training: { kind: local, batchSize: 10, optimizer: { kind: sgd, learningRate: 0.3 } }
            strategy: { scheduler: { kind: synchronous, cohort: 1 } }
            run: { stop: { versions: 2 } }
            clients: { count: 1 }
            """);
        await Fed.RunAsync("pki", "init", "--data", At("coordinator"));
        await Fed.RunAsync("pki", "server", "--data", At("coordinator"), "--name", "127.0.0.1");
        await Fed.RunAsync("pki", "client", "ward-a", "--data", At("coordinator"), "--out", folder);
        await using var coordinator = await ServedCoordinator.StartAsync(At("coordinator"), "https");
        var authority = At("coordinator/pki/ca.crt");
        await Fed.RunAsync("runs", "create", experiment, "--id", "tables", "--url", coordinator.Url, "--ca", authority);
        Table("ward-a", seed: 1);
        var lines = await Fed.RunAsync(
            "client", "--server", coordinator.Url, "--ca", authority, "--certificate", At("ward-a.crt"), "--key", At("ward-a.key"),
            "--run", "tables", "--data", At("ward-a"), "--state", At("state"));
        Assert.Contains("2 updates accepted", lines, StringComparison.Ordinal);
        Assert.False(File.Exists(At("state/identity.json")));
        Assert.Contains("ward-a", await Fed.RunAsync("runs", "show", "tables", "--url", coordinator.Url, "--ca", authority), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AClientThatIsKilledAgainAndAgainLosesNothingThatWasAccepted()
    {
        // 4.5 MB a model: the update goes up in pieces, and kills fall into training, upload and everything between.
        var experiment = Write("killed.yaml", """
            name: killed
            seed: 3
            data:
              source: { kind: drawn-digits, writers: 1, trainPerWriter: 100, testPerWriter: 10, size: 28 }
            model: { kind: mlp, hidden: [1400] }
            training: { kind: local, epochs: 2, batchSize: 10, optimizer: { kind: sgd, learningRate: 0.05 } }
            strategy: { scheduler: { kind: buffered, concurrency: 1, aggregationGoal: 1 } }
            run: { stop: { versions: 1000000 }, evaluateEvery: 0 }
            """); // It is stopped: no number of versions is so large that the run could not be over before the last kill.
        await using var coordinator = await ServedCoordinator.StartAsync(At("coordinator"));
        await Fed.RunAsync("runs", "create", experiment, "--id", "killed", "--url", coordinator.Url);
        string[] arguments = ["--server", coordinator.Url, "--run", "killed", "--experiment", experiment, "--state", At("state")];
        var random = new SeededRandom(1);
        foreach (var sign in (string[])["trains from", "sends", "trains from", "sends", "accepted", "sends"])
        {
            using var client = new ClientProcess(arguments);
            Assert.True(await client.SaysAsync(sign, Patience), client.Output);
            await Task.Delay(random.NextInt(60));
            client.Kill();
        }

        using var last = new ClientProcess(arguments);
        Assert.True(await last.SaysAsync("accepted", Patience), last.Output);
        await Fed.RunAsync("runs", "stop", "killed", "--url", coordinator.Url);
        Assert.True(await last.SaysAsync("Done:", Patience), last.Output);
        var summary = (await Fed.RunJsonAsync("runs", "show", "killed", "--url", coordinator.Url)).GetProperty("summary");
        Assert.InRange(Number(summary, "accepted"), 2, int.MaxValue);
        Assert.Equal(Number(summary, "version"), Number(summary, "accepted"));
        Assert.Equal(Number(summary, "dispatched"), Number(summary, "accepted") + Number(summary, "rejected") + Number(summary, "lost"));
        Assert.InRange(Number(summary, "lost"), 0, 1); // What was out when the run was stopped.
        Assert.Empty(Directory.EnumerateFiles(At("state/runs/killed/pending")));
    }

    [Fact]
    public async Task ACoordinatorThatMovesToAnotherPortIsFound()
    {
        var experiment = Write("moved.yaml", """
            name: moved
            data:
              source: { kind: drawn-digits, writers: 2, trainPerWriter: 100, testPerWriter: 10, size: 20 }
            model: { kind: mlp, hidden: [100] }
            training: { kind: local, epochs: 2, batchSize: 5, optimizer: { kind: sgd, learningRate: 0.05 } }
            strategy: { scheduler: { kind: synchronous, cohort: 2 } }
            run: { stop: { versions: 30 }, evaluateEvery: 0 }
            clients: { count: 2 }
            """);
        var addresses = Write("addresses", "");
        var coordinator = await ServedCoordinator.StartAsync(At("coordinator"));
        await Fed.RunAsync("runs", "create", experiment, "--id", "moved", "--url", coordinator.Url);
        File.WriteAllText(addresses, coordinator.Url);
        var token = JsonDocument.Parse(File.ReadAllText(Path.Combine(Fed.Home, "coordinators", $"localhost-{new Uri(coordinator.Url).Port}.json")))
            .RootElement.GetProperty("enrolmentToken").GetString()!;
        using var clients = new ClientProcess("--server-file", addresses, "--token", token, "--run", "moved", "--experiment", experiment, "--count", "2", "--in-order");
        while (!(await Fed.RunAsync("runs", "show", "moved", "--url", coordinator.Url)).Contains("accepted", StringComparison.Ordinal) && !clients.HasExited)
        {
            await Task.Delay(100);
        }

        await coordinator.DisposeAsync();
        await using var moved = await ServedCoordinator.StartAsync(At("coordinator"));
        Assert.NotEqual(coordinator.Url, moved.Url);
        File.WriteAllText(addresses, moved.Url);
        Assert.True(await clients.SaysAsync("Done:", Patience), clients.Output);
        Assert.Contains("60 accepted", await Fed.RunAsync("runs", "show", "moved", "--url", moved.Url), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HundredsOfClientsInOneProcessFinishAnAsynchronousRun()
    {
        // A thousand in four processes: see docs/client-sdk.md.
        var experiment = Write("many.yaml", """
            name: many
            data: { source: { kind: synthetic-iid, clients: 200 } }
            model: { kind: softmax }
            training: { kind: local, epochs: 1, batchSize: 10, optimizer: { kind: sgd, learningRate: 0.05 } }
            strategy:
              scheduler: { kind: buffered, concurrency: 40, aggregationGoal: 10 }
              exampleWeight: equal
            run: { stop: { clientUpdates: 600 }, evaluateEvery: 0 }
            """);
        await using var coordinator = await ServedCoordinator.StartAsync(At("coordinator"));
        await Fed.RunAsync("runs", "create", experiment, "--id", "many", "--url", coordinator.Url);
        var clients = await Fed.RunJsonAsync("client", "--server", coordinator.Url, "--run", "many", "--count", "200");
        Assert.Equal(600, Number(clients, "accepted"));
        var problems = clients.GetProperty("problems").EnumerateObject().Select(p => p.Name).ToList();

        // Work that the end of the run overtakes, and being asked to come a little later, is as it should be; nothing else may happen.
        Assert.All(problems, p => Assert.True(
            p.Contains("run-over", StringComparison.Ordinal) || p.Contains("429", StringComparison.Ordinal) || p.Contains("coordinator wants it no longer", StringComparison.Ordinal), p));
    }

    private static int Number(JsonElement json, string name) => json.GetProperty(name).GetInt32();

    private string At(string name) => Path.Combine(folder, name);

    private string Write(string name, string text)
    {
        File.WriteAllText(At(name), text);
        return At(name);
    }

    /// <summary>Two clouds of points around (±1, ±1), 100 rows each.</summary>
    private void Table(string name, ulong seed)
    {
        Directory.CreateDirectory(At(name));
        var random = new SeededRandom(seed);
        var rows = Enumerable.Range(0, 200).Select(i =>
        {
            var (centre, label) = i % 2 == 0 ? (-1.0, 0) : (1.0, 1);
            return string.Create(CultureInfo.InvariantCulture, $"{centre + random.NextDouble() - 0.5:R},{centre + random.NextDouble() - 0.5:R},{label}");
        });
        File.WriteAllLines(Path.Combine(At(name), "patients.csv"), rows.Prepend("x,y,label"));
    }
}

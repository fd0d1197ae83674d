using System.Globalization;
using Federated.Aggregation.Randomness;

namespace Federated.EndToEnd.Serving;

/// <summary>
/// A lid that is closed for longer than leases and tokens last: SIGSTOP to a real process, and the world goes on without it. To the others it
/// is silence on open connections, to itself a clock that jumps.
/// </summary>
public sealed class SleepingTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly string folder = Directory.CreateTempSubdirectory("federated-asleep-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task AClientThatSleptThroughItsLeaseGoesOnAndTheRunDidNotWaitForIt()
    {
        await using var coordinator = await ServedCoordinator.StartAsync(At("coordinator"));
        await CreateAsync(coordinator.Url, clientTimeout: 2);
        using var sleeper = Client(coordinator.Url, "ward-a");
        using var other = Client(coordinator.Url, "ward-b");
        Assert.True(await sleeper.SaysAsync("accepted", Patience), sleeper.Output);
        sleeper.Sleep();
        var asleep = await CountsAsync(coordinator.Url);

        // Beyond its lease: it is counted as lost, and the run goes on with the other.
        await UntilAsync(coordinator.Url, now => now.Lost > asleep.Lost && now.Accepted > asleep.Accepted);
        sleeper.WakeUp();
        await Fed.RunAsync("runs", "stop", "asleep", "--url", coordinator.Url);
        Assert.True(await sleeper.SaysAsync("Done:", Patience), sleeper.Output);
        Assert.True(await other.SaysAsync("Done:", Patience), other.Output);
        var end = await CountsAsync(coordinator.Url);
        Assert.Equal(end.Dispatched, end.Accepted + end.Rejected + end.Lost);
    }

    [Fact]
    public async Task ACoordinatorThatSleptTakesUpWhereItStood()
    {
        var url = $"http://127.0.0.1:{Ports.Take()}";
        using var coordinator = new FedProcess("serve", "--data", At("coordinator"), "--listen", url);
        Assert.True(await coordinator.SaysAsync("Dashboard:", Patience), coordinator.Output);
        await CreateAsync(url, clientTimeout: 2);
        using var a = Client(url, "ward-a");
        using var b = Client(url, "ward-b");
        Assert.True(await a.SaysAsync("accepted", Patience), a.Output);
        coordinator.Sleep();
        await Task.Delay(TimeSpan.FromSeconds(6)); // Three times a lease: time itself is what passes here.
        coordinator.WakeUp();
        var awake = await CountsAsync(url);
        await UntilAsync(url, now => now.Accepted > awake.Accepted + 10); // Both may have had one under way.
        await Fed.RunAsync("runs", "stop", "asleep", "--url", url);
        Assert.True(await a.SaysAsync("Done:", Patience), a.Output);
        Assert.True(await b.SaysAsync("Done:", Patience), b.Output);
        var end = await CountsAsync(url);
        Assert.Equal(end.Dispatched, end.Accepted + end.Rejected + end.Lost);
    }

    /// <summary>A run that is over when it is stopped: nothing that is to happen to it can come too late.</summary>
    private Task<string> CreateAsync(string url, double clientTimeout)
    {
        File.WriteAllText(At("asleep.yaml"), string.Create(CultureInfo.InvariantCulture, $$"""
            name: asleep
            input: { shape: [2], classes: 2 }
            model: { kind: softmax }
            training: { kind: local, batchSize: 10, optimizer: { kind: sgd, learningRate: 0.1 } }
            strategy: { scheduler: { kind: buffered, concurrency: 2, aggregationGoal: 1 } }
            run: { clientTimeout: {{clientTimeout}}, evaluateEvery: 0, stop: { versions: 1000000 } }
            clients: { count: 2 }
            """));
        return Fed.RunAsync("runs", "create", At("asleep.yaml"), "--id", "asleep", "--url", url);
    }

    private ClientProcess Client(string url, string ward)
    {
        Directory.CreateDirectory(At(ward));
        var random = new SeededRandom((ulong)ward[^1]);
        File.WriteAllLines(Path.Combine(At(ward), "rows.csv"), Enumerable.Range(0, 60)
            .Select(i => string.Create(CultureInfo.InvariantCulture, $"{random.NextDouble() + i % 2:R},{random.NextDouble() + i % 2:R},{i % 2}")).Prepend("x,y,label"));
        return new ClientProcess("--server", url, "--run", "asleep", "--data", At(ward), "--state", At($"state-{ward}"));
    }

    private static async Task UntilAsync(string url, Func<(int Accepted, int Rejected, int Lost, int Dispatched), bool> isSo)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!isSo(await CountsAsync(url)))
        {
            await Task.Delay(100, limit.Token);
        }
    }

    private static async Task<(int Accepted, int Rejected, int Lost, int Dispatched)> CountsAsync(string url)
    {
        var summary = (await Fed.RunJsonAsync("runs", "show", "asleep", "--url", url)).GetProperty("summary");
        return (summary.GetProperty("accepted").GetInt32(), summary.GetProperty("rejected").GetInt32(), summary.GetProperty("lost").GetInt32(), summary.GetProperty("dispatched").GetInt32());
    }

    private string At(string name) => Path.Combine(folder, name);
}

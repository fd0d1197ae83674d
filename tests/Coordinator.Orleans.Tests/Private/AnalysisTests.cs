using System.Text.Json;
using Federated.Client.Analytics;
using Federated.Client.Transport;
using Federated.Coordinator.Runs;
using Federated.EndToEnd.Serving;
using Federated.Privacy.Analytics;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Orleans.Tests.Private;

/// <summary>Questions that a cluster asks: every silo tells what was found, wherever the run is.</summary>
public sealed class AnalysisTests
{
    [Fact]
    public async Task Every_silo_tells_what_was_found_also_when_the_silo_that_found_it_has_died()
    {
        const int clients = 8;
        await using var cluster = await PrivateCluster.StartAsync(kills: true);
        await cluster.Doors[0].Runs.CreateAsync("question", cluster.Read(Text("{ kind: mean, question: age, lower: 0, upper: 100, epsilon: 8 }", clients, "")), default);
        var host = cluster.HostOf("question");
        var other = cluster.Doors.Single(door => door != host);
        var killed = new TaskCompletionSource();
        using var limit = Eventually.Guard();
        var sessions = Enumerable.Range(0, clients).Select(i => cluster.AnswerAsync(
            "question", i, new Person(i), limit.Token, new Gate(path => i >= clients / 2 && path.EndsWith("/update", StringComparison.Ordinal) ? killed.Task : Task.CompletedTask))).ToList();
        AnalysisMessage? before = null;
        while (before is null)
        {
            before = await FoundAsync(other);
            await Task.Delay(20, limit.Token);
        }

        Assert.Equal((clients / 2, 0L), (before.Reports, before.Malformed));
        Assert.Equal(before.Estimates, (await FoundAsync(host))!.Estimates);
        await cluster.KillAsync(host);
        Assert.Equal(before.Estimates, (await FoundAsync(other))!.Estimates); // Made again from the reports that the log has.
        killed.SetResult();
        Assert.All(await Task.WhenAll(sessions), session => Assert.InRange(session.Accepted, 0, 1));
        var view = await (await other.Runs.FindAsync("question", default))!.LookAsync(default);
        Assert.Equal((RunStatus.Finished, 2, clients, 0L), (view.Status, view.Version, view.Counters.Accepted, view.Counters.Rejected));
        var found = (await FoundAsync(other))!;
        Assert.Equal((clients, 0L), (found.Reports, found.Malformed));
        Assert.InRange(found.Estimates[0].Value, 0, 60); // A mean of 30, as far as eight reports at ε₀ = 8 tell.
    }

    /// <summary>The group that a report is batched with is told by the silo that the client asks, and the one it is counted in by the silo that has the run.</summary>
    [Fact]
    public async Task Groups_that_are_shuffled_are_the_same_on_every_silo()
    {
        const int clients = 16, batch = 4;
        await using var cluster = await PrivateCluster.StartAsync(kills: false);
        var windows = new LeapingWindows();
        await cluster.StartShufflerAsync("s0", cluster.Doors[0], cluster.Doors[1], new SocketsHttpHandler(), windows);
        await cluster.Doors[0].Runs.CreateAsync(
            "question",
            cluster.Read(Text(
                "{ kind: quantiles, question: age, lower: 0, upper: 64, levels: 2, probabilities: [0.5], epsilon: 6 }", clients,
                $"privacy: {{ kind: shuffle, shufflers: [s0], minBatch: {batch}, batchSeconds: 3600 }}")),
            default);
        using var limit = Eventually.Guard();
        var reported = 0;
        var answering = Task.WhenAll(Enumerable.Range(0, clients).Select(i => cluster.AnswerAsync(
            "question", i, new Person(i), limit.Token, around: transport => new CountedTransport(transport, () => Interlocked.Increment(ref reported)))));
        while (!answering.IsCompleted)
        {
            if (Volatile.Read(ref reported) >= clients)
            {
                windows.Leap(TimeSpan.FromSeconds(3700)); // What fills no batch will not. Again and again: a timer may just have been set anew.
            }

            await Task.Delay(20, limit.Token);
        }

        var sessions = await answering;
        var (found, again) = ((await FoundAsync(cluster.Doors[0]))!, (await FoundAsync(cluster.Doors[1]))!);
        Assert.Equal((found.Reports, 0L), (again.Reports, again.Malformed));
        Assert.Equal(found.Estimates, again.Estimates);
        Assert.Equal(0, found.Reports % batch);
        Assert.InRange(found.Reports, 12, clients); // Of two groups that sixteen are in, whole batches are at least three.
        Assert.InRange(sessions.Sum(s => s.Accepted), (int)found.Reports, clients);
    }

    private static string Text(string question, int clients, string privacy) =>
        $$"""
        name: question
        seed: 3
        analysis: {{question}}
        strategy: { scheduler: { kind: buffered, concurrency: {{clients}}, aggregationGoal: 4 } }
        clients: { count: {{clients}} }
        run: { stop: { versions: 50 } }
        {{privacy}}
        """;

    private static async Task<AnalysisMessage?> FoundAsync(PrivateCluster.Door door)
    {
        using var http = door.Connect();
        return JsonSerializer.Deserialize(await http.GetStringAsync("/v1/runs/question"), WireJson.Default.RunDetailMessage)!.Analysis;
    }

    /// <summary>Tells that its client has reported, once.</summary>
    private sealed class CountedTransport(HttpTransport inner, Action reported) : ForwardingTransport(inner)
    {
        private bool hasReported;

        public override async ValueTask SendReportAsync(Uri shuffler, string proof, ReadOnlyMemory<byte> envelope, CancellationToken cancellation)
        {
            await base.SendReportAsync(shuffler, proof, envelope, cancellation);
            if (!hasReported)
            {
                hasReported = true;
                reported();
            }
        }
    }

    private sealed class Person(int index) : IAnalyst
    {
        public AnalysisAnswer? Answer(AnalysisOptions question, CancellationToken cancellation) => AnalysisAnswer.Of((index % 4) switch { 0 => 10, 1 => 50, _ => 30 });
    }
}

using System.Text.Json;
using Federated.Aggregation.Parameters;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Runs;
using Federated.Coordinator.SecureAggregation;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Orleans.Tests.Private;

/// <summary>Secure aggregation on a cluster: members' steps come to any silo, their session is where the run is and ends with it.</summary>
public sealed class SecureSumTests
{
    private const int Clients = 4, Versions = 4;

    [Fact]
    public async Task Sums_are_exact_from_any_silo_and_a_session_whose_silo_dies_counts_nothing_and_is_held_anew()
    {
        await using var cluster = await PrivateCluster.StartAsync(kills: true, frontDoor: TestSilos.FrontDoor with { StepPartBytes = 1024 }); // A masked vector is eight parts or more.
        var created = await cluster.Doors[0].Runs.CreateAsync("sums", cluster.Read(Configuration), default);
        Assert.InRange(((IRun)created).SecureSums!.LimitOf(SecureSumSteps.Input)!.Value, 8 * 1024, 1 << 20);
        var host = cluster.HostOf("sums");
        var other = cluster.Doors.Single(door => door != host);
        var (delivered, killed) = (new TaskCompletionSource(), new TaskCompletionSource());
        var signatures = 0;
        Task BeforeAsync(string path)
        {
            // In the third session, when all masked vectors are there and none has been opened, its members wait for their silo's death.
            if (!path.EndsWith("/secure-sum/signature", StringComparison.Ordinal) || Interlocked.Increment(ref signatures) <= 2 * Clients)
            {
                return Task.CompletedTask;
            }

            delivered.TrySetResult();
            return killed.Task;
        }

        using var limit = Eventually.Guard();
        var clients = Enumerable.Range(0, Clients).Select(i => cluster.TakePartAsync("sums", i, new Pattern(i), limit.Token, new Gate(BeforeAsync))).ToList();
        await delivered.Task.WaitAsync(limit.Token);
        var run = (await other.Runs.FindAsync("sums", default))!;
        Assert.Equal(2, (await run.LookAsync(default)).Version);
        await cluster.KillAsync(host);
        killed.SetResult();
        await Task.WhenAll(clients);

        var view = await run.LookAsync(default);
        Assert.Equal((RunStatus.Finished, Versions), (view.Status, view.Version));
        Assert.Equal((Versions * Clients, 0L), (view.Counters.Accepted, view.Counters.Rejected));
        Assert.True(view.Counters.Balances, view.Counters.ToString());
        Assert.InRange(view.Counters.Lost, Clients, 20 * Clients); // Those of the session that died, at least.
        var layout = run.Parts.Layout;
        var models = new List<float[]>();
        for (var version = 0; version <= Versions; version++)
        {
            models.Add(await ReadAsync(cluster, layout, view.Versions[version]));
        }

        for (var version = 0; version < Versions; version++)
        {
            for (var j = 0; j < models[0].Length; j++)
            {
                var mean = Enumerable.Range(0, Clients).Average(i => (double)Pattern.UpdateOf(i, j));
                var change = models[version + 1][j] - models[version][j];
                Assert.True(Math.Abs(change - mean) < 4e-6, $"version {version}, coordinate {j}: {mean} expected, {change} there");
            }
        }

        using var http = other.Connect();
        var facts = JsonSerializer.Deserialize(await http.GetStringAsync("/v1/runs/sums/secure-sums"), WireJson.Default.SecureSumFacts)!;
        Assert.Equal(("done", Clients), (facts.Sessions[^1].Phase, facts.Sessions[^1].Survivors));
    }

    [Fact]
    public async Task Of_a_long_step_by_somebody_in_no_session_nothing_is_kept()
    {
        await using var cluster = await PrivateCluster.StartAsync(kills: false);
        var run = await cluster.Doors[0].Runs.CreateAsync("sums", cluster.Read(Configuration), default);
        var stepped = await cluster.Silos.Grains(0).GetGrain<IRunGrain>("sums").TakeStepAsync(
            run.Entry.CreatedAt.UtcTicks, new ClientId(0), new AssignmentId(7), SecureSumSteps.Input, length: 8 * 1024, offset: 0, new byte[1024]);
        Assert.NotEqual(StepVerdict.Taken, Assert.NotNull(stepped).Verdict);
    }

    private static readonly string Configuration =
        $$"""
        name: sums
        seed: 20
        data: { set: drawn-digits, trainExamples: 40, testExamples: 10, partition: { kind: iid, clients: {{Clients}} } }
        model: { kind: softmax }
        training: { kind: local, steps: 1, batchSize: 5 }
        strategy: { scheduler: { kind: synchronous, cohort: {{Clients}} }, exampleWeight: equal }
        clients: { count: {{Clients}} }
        run: { stop: { versions: {{Versions}} }, evaluateEvery: 0 }
        privacy: { kind: secure-sum, clipNorm: 100, corrupted: 0, phaseSeconds: 600, gatherSeconds: 600 }
        """;

    private static async Task<float[]> ReadAsync(PrivateCluster cluster, ParameterLayout layout, VersionBlobs version)
    {
        var parameters = new float[layout.Count];
        await using var stream = await cluster.Silos.Store.OpenAsync(version.Model, default);
        SafetensorsReader.Open(stream).Read<float>(layout, parameters);
        return parameters;
    }
}

using Federated.Coordinator.Http;
using Federated.Coordinator.Runs;
using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Simulation.Serving;

namespace Federated.EndToEnd.Serving;

/// <summary>A policy over the network: real clients protect what they send, the coordinator charges them, and the budget ends the run.</summary>
public sealed class PrivateRunTests : IDisposable
{
    private const int Clients = 4;

    private readonly string folder = Directory.CreateTempSubdirectory("fed-private-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("{ kind: central, delta: 1e-5, maxParticipations: 3, mechanism: { kind: dp-fedavg, noiseMultiplier: 2 } }")]
    [InlineData("{ kind: central, delta: 1e-5, mechanism: { kind: dp-ftrl, noiseMultiplier: 2, steps: 3, maxParticipations: 3 } }")]
    [InlineData("{ kind: local, delta: 1e-5, reportEpsilon: 4, maxParticipations: 3 }")]
    public async Task A_run_over_HTTP_stops_at_its_budget_and_says_what_it_spent(string policy)
    {
        var factory = new ExperimentRunFactory("data");
        await using var server = await TestCoordinator.StartAsync(folder, factory);
        var configuration = factory.Read(
            $$"""
            name: private
            seed: 20
            data: { set: drawn-digits, trainExamples: 200, testExamples: 40, partition: { kind: iid, clients: {{Clients}} } }
            model: { kind: softmax }
            training: { kind: local, steps: 3, batchSize: 10 }
            strategy: { scheduler: { kind: synchronous, cohort: {{Clients}} }, exampleWeight: equal }
            clients: { count: {{Clients}} }
            run: { stop: { versions: 50 } }
            privacy: {{policy}}
            """,
            []);
        var run = await server.Runs.CreateAsync("private", configuration, default);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(index => Participant.TakePartAsync("private", index, limit.Token, server.Url())));
        await run.FinishedAsync();
        Assert.Equal((3, FinishReason.Budget), (run.View.Version, run.View.Ended!.Value.Reason));
        var spent = run.View.Spent!;
        Assert.Equal(Expected(policy), spent.Epsilon, 1e-9);
        Assert.DoesNotContain(spent.Assumptions, a => a.Contains("simulation", StringComparison.Ordinal));
    }

    private static double Expected(string policy) => policy.Contains("dp-fedavg", StringComparison.Ordinal) ? AnalyticGaussian.Epsilon(2 / Math.Sqrt(3), 1e-5)
        : policy.Contains("dp-ftrl", StringComparison.Ordinal) ? AnalyticGaussian.Epsilon(2, 1e-5)
        : new PldAccountant().Epsilon(new RandomizedResponseEvent(NeighbourRelation.ReplaceOneParticipation, 4, 2).Repeated(3), 1e-5);
}

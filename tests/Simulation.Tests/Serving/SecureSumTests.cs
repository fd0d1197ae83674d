using System.Collections.Concurrent;
using System.Text.Json;
using Federated.Client.Transport;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Privacy.Accounting;
using Federated.Protocol.Wire;

namespace Federated.Simulation.Tests.Serving;

/// <summary>Secure aggregation in the running system: the whole of it in one process, on the SDK's session and the coordinator's store.</summary>
public static partial class SecureSumTests
{
    private const string Sum = "{ kind: secure-sum, clipNorm: 100, corrupted: 0, phaseSeconds: 900, gatherSeconds: 900 }";

    private static string Rounds(int cohort, int minimum = 0, string rest = "exampleWeight: equal") =>
        $"{{ scheduler: {{ kind: synchronous, cohort: {cohort}, minimumReports: {minimum} }}, {rest} }}";

    private static void Near(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var j = 0; j < expected.Length; j++)
        {
            Assert.True(Math.Abs(expected[j] - actual[j]) <= 2e-6 * Math.Max(1, Math.Abs(expected[j])), $"coordinate {j}: {expected[j]} expected, {actual[j]} there");
        }
    }

    /// <summary>A member that has dropped out when a step would be sent.</summary>
    private static Func<string, CancellationToken, Task> GoneAt(string step) => (sent, token) => sent == step ? Task.Delay(Timeout.Infinite, token) : Task.CompletedTask;

    private static async Task<SumWorld> PlayAsync(SumWorld world, Func<int, string?> goneAt, Func<RunView, bool>? until = null)
    {
        using var end = new CancellationTokenSource();
        var clients = Enumerable.Range(0, world.Clients).Select(i => world.TakePartAsync(i, end.Token, goneAt(i) is { } step ? GoneAt(step) : null)).ToList();
        var left = world.Clients;
        foreach (var step in (string[])[SecureSumSteps.Keys, SecureSumSteps.Shares, SecureSumSteps.Input, SecureSumSteps.Signature])
        {
            if (Enumerable.Range(0, world.Clients).Count(i => goneAt(i) == step) is > 0 and var gone)
            {
                await world.UntilReceivedAsync(step, left -= gone); // All that will come.
                world.EndPhase();
            }
        }

        await world.UntilAsync(until ?? (view => view.Status == RunStatus.Finished));
        await end.CancelAsync();
        await Task.WhenAll(clients);
        return world;
    }

    /// <summary>Who the members are, from elsewhere than the coordinator, which could make some up and learn what the one real one sends.</summary>
    public sealed class A_directory
    {
        [Fact]
        public async Task That_knows_all_members_is_asked_of_each_and_changes_nothing()
        {
            await using var world = await SumWorld.OpenAsync(Sum, Rounds(4), 4);
            using var end = new CancellationTokenSource();
            ConcurrentDictionary<string, string> asked = new(StringComparer.Ordinal);
            var clients = Enumerable.Range(0, 4).Select(i => world.TakePartAsync(i, end.Token, knownMembers: i > 0 ? null : (member, key) =>
            {
                asked[member] = Convert.ToHexString(key.Span);
                return true;
            })).ToList();
            await world.UntilAsync(view => view.Status == RunStatus.Finished);
            await end.CancelAsync();
            await Task.WhenAll(clients);
            Near(world.MeanOf([0, 1, 2, 3]), await world.StepAsync(1));
            var advertised = world.Received.Where(r => r.Step == SecureSumSteps.Keys && r.Client > 0)
                .ToDictionary(r => SumWorld.NameOf(r.Client), r => Convert.ToHexString(JsonSerializer.Deserialize(r.Body, WireJson.Default.Advertisement)!.IdentityKey), StringComparer.Ordinal);
            Assert.Equal(advertised.OrderBy(pair => pair.Key), asked.Where(pair => pair.Key != SumWorld.NameOf(0)).OrderBy(pair => pair.Key));
        }

        [Fact]
        public async Task That_does_not_know_a_member_keeps_the_client_from_sending_it_anything()
        {
            await using var world = await SumWorld.OpenAsync(Sum, Rounds(4), 4);
            using var end = new CancellationTokenSource();
            var clients = Enumerable.Range(0, 4)
                .Select(i => world.TakePartAsync(i, end.Token, knownMembers: i > 0 ? null : (member, _) => member != SumWorld.NameOf(2))).ToList();
            await world.UntilAsync(view => view.Counters.Lost > 0); // It told the coordinator that it left.
            await end.CancelAsync();
            await Task.WhenAll(clients);
            Assert.Equal([SecureSumSteps.Keys], world.Received.Where(r => r.Client == 0).Select(r => r.Step).Distinct());
            Assert.Equal(0, world.Host.View.Version);
        }
    }

    public sealed class A_round
    {
        [Fact]
        public async Task Adds_the_mean_of_all_and_counts_each_once()
        {
            await using var world = await SumWorld.OpenAsync(Sum, Rounds(5), 5, "{ stop: { versions: 3 }, evaluateEvery: 0 }");
            await PlayAsync(world, _ => null);
            var counters = world.Host.View.Counters;
            Assert.Equal((15, 0, 0), (counters.Accepted, counters.Rejected, counters.Lost));
            for (var version = 1; version <= 3; version++)
            {
                Near(world.MeanOf([0, 1, 2, 3, 4]), await world.StepAsync(version));
            }

            var sessions = world.Host.SecureSum!.Facts().Sessions;
            Assert.Equal(3, sessions.Count);
            Assert.All(sessions, s => Assert.Equal(("done", 5, 5, 5, ""), (s.Phase, s.Members, s.Sharers, s.Survivors, s.Problem)));
        }

        [Fact]
        public async Task Weighs_by_examples_that_nobody_tells()
        {
            await using var world = await SumWorld.OpenAsync(
                Sum.Replace("corrupted", "largestExamples: 20, corrupted", StringComparison.Ordinal), Rounds(4, rest: "exampleWeight: examples"), 4);
            await PlayAsync(world, _ => null);
            Near(world.MeanOf([0, 1, 2, 3]), await world.StepAsync(1));

            // 10, 20, 30 counted as 20, and 10 examples: told by nobody but the sum.
            var d = world.Host.Parts.Layout.Count;
            double[] weights = [10, 20, 20, 10];
            var expected = Enumerable.Range(0, d).Select(j => (float)(Enumerable.Range(0, 4).Sum(i => weights[i] * SumWorld.UpdateOf(i, d)[j]) / 60)).ToArray();
            Near(expected, await world.StepAsync(1));
            Assert.All((await world.Host.ClientsAsync())!, facts => Assert.Equal(1, facts.Examples));
        }

        /// <summary>30 % of ten drop out at one phase.</summary>
        [Theory]
        [InlineData(SecureSumSteps.Keys)]
        [InlineData(SecureSumSteps.Shares)]
        [InlineData(SecureSumSteps.Input)]
        [InlineData(SecureSumSteps.Signature)]
        [InlineData(SecureSumSteps.Unmask)]
        public async Task Is_exact_when_a_third_drops_out_at(string step)
        {
            await using var world = await SumWorld.OpenAsync(Sum, Rounds(10, minimum: 7), 10);
            await PlayAsync(world, i => i % 4 == 1 ? step : null);
            int[] summed = step is SecureSumSteps.Signature or SecureSumSteps.Unmask ? [.. Enumerable.Range(0, 10)] : [0, 2, 3, 4, 6, 7, 8];
            Near(world.MeanOf(summed), await world.StepAsync(1));
            var counters = world.Host.View.Counters;
            Assert.Equal((summed.Length, 0, 10 - summed.Length), (counters.Accepted, counters.Rejected, counters.Lost));
        }

        [Fact]
        public async Task Fails_loudly_when_too_many_drop_out_and_the_next_one_succeeds()
        {
            await using var world = await SumWorld.OpenAsync(Sum, Rounds(6, minimum: 5), 6);
            var left = 2;
            using var end = new CancellationTokenSource();
            var failed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var clients = Enumerable.Range(0, 6).Select(i => world.TakePartAsync(i, end.Token, (step, _) =>
                i < 2 && step == SecureSumSteps.Input && Interlocked.Decrement(ref left) >= 0 ? failed.Task : Task.CompletedTask)).ToList();
            await world.UntilReceivedAsync(SecureSumSteps.Input, 4);
            world.EndPhase();
            await world.UntilAsync(_ => world.Host.SecureSum!.Facts().Sessions[0].Problem.Length > 0);
            failed.SetResult();
            await world.UntilAsync(view => view.Status == RunStatus.Finished);
            await end.CancelAsync();
            await Task.WhenAll(clients);
            var sessions = world.Host.SecureSum!.Facts().Sessions;
            Assert.Contains("4 of 6 members delivered; 5 are needed", sessions[0].Problem, StringComparison.Ordinal);
            Assert.Equal("done", sessions[^1].Phase);
            Assert.InRange(sessions[^1].Survivors, 5, 6);
            Assert.Equal(sessions[^1].Survivors, world.Host.View.Counters.Accepted); // Nothing of the session that failed was counted.
        }
    }

    public sealed class A_buffer
    {
        [Fact]
        public async Task Is_filled_by_cohorts_of_those_who_came()
        {
            await using var world = await SumWorld.OpenAsync(
                Sum, "{ scheduler: { kind: buffered, concurrency: 6, aggregationGoal: 3 }, exampleWeight: equal }", 6, "{ stop: { versions: 4 }, evaluateEvery: 0 }");
            await PlayAsync(world, _ => null);
            Assert.Equal(12, world.Host.View.Counters.Accepted);
            var sums = world.Host.SecureSum!.Facts().Sessions.Where(s => s.Phase == "done").ToList();
            Assert.NotEmpty(sums);
            Assert.All(sums, s => Assert.Equal(3, s.Members));
        }
    }

    public sealed class A_distributed_run
    {
        [Fact]
        public async Task Stops_at_its_budget_and_says_what_it_spent()
        {
            await using var world = await SumWorld.OpenAsync(
                "{ kind: distributed, clipNorm: 1, corrupted: 0, noiseMultiplier: 2, delta: 1e-5, maxParticipations: 3, phaseSeconds: 900 }", Rounds(4), 4, "{ stop: { versions: 50 }, evaluateEvery: 0 }");
            await PlayAsync(world, _ => null);
            Assert.Equal((3, FinishReason.Budget), (world.Host.View.Version, world.Host.View.Ended!.Value.Reason));
            var expected = new RdpAccountant().Epsilon(world.Host.Parts.SecureSum!.Plan.Event!.Repeated(3), 1e-5);
            Assert.Equal(expected, world.Host.View.Spent!.Epsilon, 1e-9);
            Assert.InRange(expected, 1, AnalyticGaussian.Epsilon(2 / Math.Sqrt(3), 1e-5) * 1.35); // Rényi's price over the exact Gaussian.
            Assert.Equal(Federated.Privacy.TrustModel.Distributed, world.Host.View.Spent!.Trust);
        }

        /// <summary>Coordinates of one step against the noise that four members add: variance within 20 % at 650 coordinates, false alarm below 1e-3.</summary>
        [Fact]
        public async Task Has_the_noise_of_its_members()
        {
            await using var world = await SumWorld.OpenAsync(
                "{ kind: distributed, clipNorm: 0.001, corrupted: 0, noiseMultiplier: 5, delta: 1e-5, maxParticipations: 1, phaseSeconds: 900 }", Rounds(4), 4);
            await PlayAsync(world, _ => null);
            var step = await world.StepAsync(1);
            var deviation = 5 * 0.001 / 4; // z·C over the number of members.
            Assert.InRange(step.Sum(x => (double)x * x) / step.Length / (deviation * deviation), 0.8, 1.2);
        }
    }
}

using System.Text;
using System.Text.Json;
using Federated.Client.Transport;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Privacy.Accounting;
using Federated.Privacy.SecureAggregation;
using Federated.Privacy.SecureAggregation.Sums;
using Federated.Protocol.Wire;

namespace Federated.Simulation.Tests.Serving;

/// <summary>Secure aggregation in the running system: the whole of it in one process, on the SDK's session and the coordinator's store.</summary>
public static class SecureSumTests
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
            Assert.All(world.Host.SecureSum!.Facts().Sessions.Where(s => s.Phase == "done"), s => Assert.Equal(3, s.Members));
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

    public sealed class A_restart
    {
        /// <summary>The coordinator ends at each point of a session's end: nothing counts twice or without having been counted, and no budget comes back.</summary>
        [Theory]
        [InlineData("open")]
        [InlineData("give up")]
        [InlineData("write")]
        [InlineData("post")]
        [InlineData("counted")]
        public async Task At_any_point_counts_each_sum_once(string point)
        {
            await using var world = await SumWorld.OpenAsync(Sum, Rounds(4), 4, "{ stop: { versions: 3 }, evaluateEvery: 0 }");
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            world.Host.SecureSum!.Passing = passed =>
            {
                if (passed != point)
                {
                    return Task.CompletedTask;
                }

                reached.TrySetResult();
                return new TaskCompletionSource().Task; // For ever: the process ends here.
            };
            using var end = new CancellationTokenSource(TimeSpan.FromMinutes(5));
            var clients = Enumerable.Range(0, 4).Select(i => world.TakePartAsync(i, end.Token)).ToList();
            await reached.Task.WaitAsync(end.Token);
            await world.RestartAsync();
            await world.UntilAsync(view => view.Status == RunStatus.Finished);
            await Task.WhenAll(clients);
            var counters = world.Host.View.Counters;
            Assert.Equal((12, 0), (counters.Accepted, counters.Rejected));
            Assert.Equal(counters.Dispatched, counters.Accepted + counters.Lost);
            for (var version = 1; version <= 3; version++)
            {
                Near(world.MeanOf([0, 1, 2, 3]), await world.StepAsync(version));
            }
        }

        [Theory]
        [InlineData(SecureSumSteps.Keys)]
        [InlineData(SecureSumSteps.Shares)]
        [InlineData(SecureSumSteps.Input)]
        [InlineData(SecureSumSteps.Signature)]
        [InlineData(SecureSumSteps.Unmask)]
        public async Task Before_any_step_charges_every_assignment_once_and_forms_the_cohort_anew(string step)
        {
            await using var world = await SumWorld.OpenAsync(
                "{ kind: distributed, clipNorm: 1, corrupted: 0, noiseMultiplier: 2, delta: 1e-5, maxParticipations: 4, phaseSeconds: 900, gatherSeconds: 900 }", Rounds(3), 3, "{ stop: { versions: 2 }, evaluateEvery: 0 }");
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var end = new CancellationTokenSource(TimeSpan.FromMinutes(5));
            var isFirst = 1;
            var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var clients = Enumerable.Range(0, 3).Select(i => world.TakePartAsync(i, end.Token, (sent, _) =>
            {
                if (sent != step || Interlocked.Exchange(ref isFirst, 0) == 0)
                {
                    return Task.CompletedTask;
                }

                reached.TrySetResult();
                return go.Task;
            })).ToList();
            await reached.Task.WaitAsync(end.Token);
            await world.RestartAsync();
            go.SetResult();
            await world.UntilAsync(view => view.Status == RunStatus.Finished);
            await Task.WhenAll(clients);
            var counters = world.Host.View.Counters;
            var spending = await world.Host.SpendingAsync(3);
            Assert.Equal((6, 2), (counters.Accepted, world.Host.View.Version));
            Assert.Equal(counters.Dispatched, spending.Nearest.Sum(client => client.Participations));
        }
    }

    public sealed class The_coordinator
    {
        [Fact]
        public async Task Takes_no_update_outside_of_a_sum()
        {
            await using var world = await SumWorld.OpenAsync(Sum, Rounds(3), 3);
            await using var bare = new Federated.Simulation.Serving.InProcessTransport(world.Registry, SumWorld.NameOf(0));
            await bare.CheckInAsync("sums", new CheckInRequest(0, 0), default);
            var refused = await Assert.ThrowsAsync<Federated.Client.ClientException>(async () => await bare.DeclareAsync(
                "sums", 0, new UpdateDeclaration { Delta = new Federated.Protocol.BlobReference(new string('0', 64), 1), Examples = 1, LocalSteps = 1 }, default));
            Assert.Equal("not-masked", refused.Problem!.Type);
        }

        /// <summary>Everything that it was sent and everything that it keeps, searched for what opens a single update; and the same search where masks are off.</summary>
        [Fact]
        public async Task Holds_nothing_that_opens_a_single_update()
        {
            await using var world = await SumWorld.OpenAsync(Sum, Rounds(6, minimum: 4), 6);
            await PlayAsync(world, i => i == 5 ? SecureSumSteps.Input : null);
            var received = world.Received.ToList();
            var kept = Directory.EnumerateFiles(world.Folder, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) != "lock").Select(File.ReadAllBytes).ToList();
            Assert.NotEmpty(kept);
            for (var client = 0; client < 6; client++)
            {
                Assert.Equal("", Adversary.Finds(world, client, received, kept));
            }

            // Controls: an update as it is among the messages, a mask's seed, and both secrets of one member.
            var bare = received.ConvertAll(m => m is { Client: 2, Step: SecureSumSteps.Input } ? m with { Body = Adversary.Packed(world.WordsOf(2)) } : m);
            Assert.Contains("stands in", Adversary.Finds(world, 2, bare, kept), StringComparison.Ordinal);
            var (seed, masked) = (Enumerable.Range(7, 32).Select(b => (byte)b).ToArray(), world.WordsOf(2));
            PairwiseMask.Apply(masked, seed, 32, subtract: false);
            var leaked = received.ConvertAll(m => m is { Client: 2, Step: SecureSumSteps.Input } ? m with { Body = Adversary.Packed(masked) } : m);
            leaked.Add((3, SecureSumSteps.Unmask, [1, 2, .. seed, 3]));
            Assert.Contains("opens under", Adversary.Finds(world, 2, leaked, kept), StringComparison.Ordinal);
            var both = received.ToList();
            foreach (var (who, _, body) in received.Where(m => m.Step == SecureSumSteps.Unmask))
            {
                var shares = JsonSerializer.Deserialize(body, WireJson.Default.UnmaskShares)!;
                var swapped = shares with { MaskKeys = new Dictionary<int, byte[]>(shares.MaskKeys) { [2] = shares.SelfMasks.Values.First() } };
                both.Add((who, SecureSumSteps.Unmask, JsonSerializer.SerializeToUtf8Bytes(swapped, WireJson.Default.UnmaskShares)));
            }

            Assert.Contains("both secrets", Adversary.Finds(world, 2, both, kept), StringComparison.Ordinal);
        }
    }

    /// <summary>Looks for one client's update as whoever holds everything would.</summary>
    private static class Adversary
    {
        private const int Window = 32;

        public static byte[] Packed(uint[] words)
        {
            var bytes = new byte[WordPacking.Bytes(words.Length, 32)];
            WordPacking.Pack(words, 32, bytes);
            return bytes;
        }

        /// <returns>What was found; empty when nothing was.</returns>
        public static string Finds(SumWorld world, int client, IReadOnlyList<(int Client, string Step, byte[] Body)> received, IReadOnlyList<byte[]> kept)
        {
            // 1. The update itself, as words or as numbers.
            var words = world.WordsOf(client);
            var numbers = SumWorld.UpdateOf(client, world.Host.Parts.Layout.Count).SelectMany(BitConverter.GetBytes).ToArray();
            foreach (var needle in (byte[][])[Packed(words)[80..(80 + Window)], numbers[80..(80 + Window)]])
            {
                if (received.Any(m => m.Body.AsSpan().IndexOf(needle) >= 0) || kept.Any(f => f.AsSpan().IndexOf(needle) >= 0))
                {
                    return "the update stands in what the coordinator has";
                }
            }

            // 2. A keystream under any 32 bytes that are there, in JSON as text or decoded, added or subtracted.
            foreach (var (_, _, masked) in received.Where(m => m.Client == client && m.Step == SecureSumSteps.Input))
            {
                foreach (var bytes in received.Where(m => m.Step != SecureSumSteps.Input).SelectMany(m => Views(m.Body)).Concat(kept))
                {
                    for (var at = 0; at + Window <= bytes.Length; at++)
                    {
                        foreach (var subtract in (bool[])[false, true])
                        {
                            var head = new uint[4];
                            Assert.True(WordPacking.TryUnpack(masked.AsSpan(0, 16), 32, head));
                            PairwiseMask.Apply(head, bytes.AsSpan(at, Window), 32, subtract);
                            if (head.AsSpan().SequenceEqual(words.AsSpan(0, 4)))
                            {
                                return "the update opens under bytes that the coordinator has";
                            }
                        }
                    }
                }
            }

            // 3. Shares of both secrets of one member, whoever sent them.
            var (selfMasks, maskKeys) = (new HashSet<int>(), new HashSet<int>());
            foreach (var (_, _, body) in received.Where(m => m.Step == SecureSumSteps.Unmask && m.Body[0] == '{'))
            {
                var shares = JsonSerializer.Deserialize(body, WireJson.Default.UnmaskShares)!;
                selfMasks.UnionWith(shares.SelfMasks.Keys);
                maskKeys.UnionWith(shares.MaskKeys.Keys);
            }

            return selfMasks.Overlaps(maskKeys) ? "both secrets of a member were given away" : "";
        }

        /// <summary>A body, and every string in it that is base64.</summary>
        private static IEnumerable<byte[]> Views(byte[] body)
        {
            yield return body;
            foreach (var text in Encoding.UTF8.GetString(body).Split('"'))
            {
                var decoded = new byte[text.Length];
                if (text.Length >= 40 && Convert.TryFromBase64String(text, decoded, out var count))
                {
                    yield return decoded[..count];
                }
            }
        }
    }
}

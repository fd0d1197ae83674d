using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Protocol.Wire;

namespace Federated.Simulation.Tests.Serving;

/// <content>Sessions across a crash of the coordinator.</content>
public static partial class SecureSumTests
{
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
}

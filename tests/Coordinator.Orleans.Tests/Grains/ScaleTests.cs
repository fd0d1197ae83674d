using System.Diagnostics;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Tests.Hosting;
using Federated.Protocol;

namespace Federated.Coordinator.Orleans.Tests.Grains;

/// <summary>Tests that measure the processor time of the whole process: nothing else runs beside them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class Alone
{
    public const string Name = "alone";
}

/// <summary>Many runs on few silos.</summary>
[Collection(Alone.Name)]
public sealed class ScaleTests
{
    [Fact]
    public async Task A_thousand_idle_runs_cost_next_to_nothing()
    {
        const int runs = 1000;
        await using var cluster = await TestSilos.StartAsync(2);
        await cluster.Door(0).StartAsync(default);
        await Parallel.ForAsync(0, runs, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
            await cluster.Door(0).CreateAsync($"idle-{i}", TestFactory.Buffered(10, 5), default));
        using var process = Process.GetCurrentProcess();

        // A hundredth of a core for each would be ten cores: idling is timers that are not armed, and news that are not sent. What creating them left to do ends some time.
        await Eventually.HoldsAsync(async () =>
        {
            process.Refresh();
            var (calls, before, clock) = (cluster.Calls.Values.Sum(), process.TotalProcessorTime, Stopwatch.StartNew());
            await Task.Delay(5000); // What is measured is a time in which nothing happens.
            process.Refresh();
            return (process.TotalProcessorTime - before) / clock.Elapsed < 0.5 && (cluster.Calls.Values.Sum() - calls) / clock.Elapsed.TotalSeconds < runs / 5;
        }, "a thousand idle runs take less than half a core, and make less than a call each in five seconds");
        Assert.Equal(0, (await (await cluster.Door(0).FindAsync("idle-999", default))!.LookAsync(default)).Version);
    }

    [Fact]
    public async Task A_busy_run_leaves_the_others_their_turn()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        await cluster.Door(0).StartAsync(default);
        var busy = await cluster.Door(0).CreateAsync("busy", TestFactory.Buffered(64, 1), default);
        var calm = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => cluster.Door(0).CreateAsync($"calm-{i}", TestFactory.Buffered(4, 1), default)));
        using var stop = new CancellationTokenSource();
        var updates = 0;
        var flood = Enumerable.Range(0, 64).Select(i => Task.Run(() => TrainAsync(cluster, busy, $"busy-{i}", () =>
        {
            Interlocked.Increment(ref updates);
            return !stop.IsCancellationRequested;
        }))).ToArray();
        await Eventually.HoldsAsync(() => Volatile.Read(ref updates) >= 20); // Until it is busy.
        var before = Volatile.Read(ref updates);
        await Task.WhenAll(calm.Select(async run =>
        {
            var left = 10;
            await TrainAsync(cluster, run, "calm", () => --left > 0);
        }));
        var meanwhile = Volatile.Read(ref updates) - before;
        await stop.CancelAsync();
        await Task.WhenAll(flood);

        // Ten updates, one after the other, of each of eight runs, beside one that takes all it can get: every calm run has its turn between any
        // few of the busy one's, so that its tenth comes before the busy one's thousands.
        Assert.All(await Task.WhenAll(calm.Select(async run => (await run.LookAsync(default)).Version)), version => Assert.Equal(10, version));
        Assert.True(meanwhile is > 0 and < 5000, $"While eight calm runs had their ten updates each, one after the other, the busy one had {meanwhile}.");
    }

    private static async Task TrainAsync(TestSilos cluster, ClusterRun run, string member, Func<bool> goesOn)
    {
        var (_, client, _) = await run.JoinAsync(member, 10);
        for (var more = true; more;)
        {
            if (await run.CheckInAsync(client, Eventually.Patience, default) is not Granted granted)
            {
                continue;
            }

            var (reference, bytes) = TestFactory.OneHot(granted.Assignment.Id);
            await using (var writer = await cluster.Store.CreateAsync(default))
            {
                await writer.WriteAsync(bytes, default);
                await writer.CommitAsync(reference, default);
            }

            await run.SubmitAsync(new UpdateSubmission(granted.Assignment.Id, client, new UpdateReport { Delta = reference, Examples = 10, LocalSteps = 5 }, false), default);
            more = goesOn();
        }
    }
}

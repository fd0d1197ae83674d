using System.Diagnostics;
using System.Globalization;
using Federated.Benchmarks.Hosting;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Storage.Files;
using Federated.Protocol;

namespace Federated.Benchmarks.Cluster;

/// <summary>How long check-ins take on a silo that aggregates a large model at the same time: those of other runs, and those of the large one.</summary>
[WholeProcess("cluster-latency", "[parameters] [versions]: check-in latency while a large run aggregates on the same silo", "parameters:count", "versions:count")]
internal static class ClusterLatency
{
    private const int Goal = 4, Others = 4, Watchers = 32;

    public static int Run(string[] args) => RunAsync(
        args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 100_000_000, args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 3).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(int parameters, int versions)
    {
        var folder = Directory.CreateTempSubdirectory("federated-bench-").FullName;
        try
        {
            await using var store = FileStore.Open(folder);
            await using var cluster = await BenchSilos.StartAsync(1, store, new FrontDoorOptions { FailoverPatience = TimeSpan.FromMinutes(5) }).ConfigureAwait(false);
            var small = await Task.WhenAll(Enumerable.Range(0, Others).Select(r => cluster.CreateAsync($"small-{r}", "synchronous 1000 1000000"))).ConfigureAwait(false);
            var quiet = await WatchAsync(small, Task.Delay(5000)).ConfigureAwait(false);
            Tell("nothing else", quiet, 5);
            var begun = Stopwatch.StartNew();
            var large = (await cluster.CreateAsync("large", $"buffered {parameters} {Goal + Watchers} {Goal}").ConfigureAwait(false))[0];
            var update = BenchFactory.Update(parameters);
            var reference = BenchFactory.Reference(update);
            await using (var writer = await store.Blobs.CreateAsync(default).ConfigureAwait(false))
            {
                await writer.WriteAsync(update, default).ConfigureAwait(false);
                await writer.CommitAsync(reference, default).ConfigureAwait(false);
            }

            update = null;
            GC.Collect();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"The large run stands after {begun.Elapsed.TotalSeconds:N1} s."));
            begun.Restart();
            var training = Task.WhenAll(Enumerable.Range(0, Goal).Select(c => Task.Run(() => TrainAsync(large, c, versions, reference))));
            var own = WatchAsync([[large]], training);
            Tell($"{versions} versions of {Goal} updates of {parameters:N0} parameters, other runs' check-ins", await WatchAsync(small, training).ConfigureAwait(false), begun.Elapsed.TotalSeconds);
            Tell("the large run's own", await own.ConfigureAwait(false), begun.Elapsed.TotalSeconds);
            await training.ConfigureAwait(false);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        return 0;
    }

    private static async Task TrainAsync(ClusterRun run, int number, int versions, BlobReference delta)
    {
        var (_, client, _) = await run.JoinAsync($"trainer-{number}", 10).ConfigureAwait(false);
        for (var i = 0; i < versions;)
        {
            if (await run.CheckInAsync(client, TimeSpan.FromSeconds(60), default).ConfigureAwait(false) is Granted granted)
            {
                await run.SubmitAsync(
                    new UpdateSubmission(granted.Assignment.Id, client, new UpdateReport { Examples = 10, LocalSteps = 5, Delta = delta }, Ready: false), default).ConfigureAwait(false);
                i++;
            }
        }
    }

    /// <summary>32 clients, each with a check-in every twentieth of a second.</summary>
    private static async Task<double[]> WatchAsync(ClusterRun[][] runs, Task until)
    {
        var latencies = new List<double>[Watchers];
        await Task.WhenAll(Enumerable.Range(0, latencies.Length).Select(async c =>
        {
            latencies[c] = [];
            var run = runs[c % runs.Length][0];
            var (_, client, _) = await run.JoinAsync($"watcher-{c}", 10).ConfigureAwait(false);
            while (!until.IsCompleted)
            {
                var begun = Stopwatch.GetTimestamp();
                await run.CheckInAsync(client, TimeSpan.Zero, default).ConfigureAwait(false);
                latencies[c].Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
                await Task.Delay(50).ConfigureAwait(false);
            }
        })).ConfigureAwait(false);
        return [.. latencies.SelectMany(l => l).Order()];
    }

    private static void Tell(string what, double[] sorted, double seconds) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"| {what} | {seconds:N1} s | {sorted.Length:N0} | {sorted[sorted.Length / 2]:N2} ms | {sorted[(int)(sorted.Length * 0.99)]:N1} ms | {sorted[^1]:N0} ms |"));
}

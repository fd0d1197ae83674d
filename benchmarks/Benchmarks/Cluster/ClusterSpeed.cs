using System.Diagnostics;
using System.Globalization;
using Federated.Benchmarks.Hosting;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Storage.Postgres;
using Federated.Protocol;

namespace Federated.Benchmarks.Cluster;

/// <summary>What one, two and four silos of one machine take, over loopback between them: check-ins, and updates that are durable when they are acknowledged.</summary>
[WholeProcess(
    "cluster", "[silos: 1,2,4] [seconds] [store: a folder, or a PostgreSQL connection string]: check-ins/s and durable updates/s of silos on one machine",
    "silos:counts", "seconds:number", "store:text")]
internal static class ClusterSpeed
{
    private const int Runs = 8, ClientsPerRun = 64, Parameters = 1000, Waiting = 2048;

    public static int Run(string[] args) => RunAsync(args).GetAwaiter().GetResult();

    public static async Task<IStore> OpenAsync(string place) =>
        place.Contains('=', StringComparison.Ordinal) ? await PostgresStore.OpenAsync(place, default).ConfigureAwait(false) : FileStore.Open(place);

    private static async Task<int> RunAsync(string[] args)
    {
        var silos = (args.Length > 0 ? args[0] : "1,2,4").Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture));
        var seconds = args.Length > 1 ? double.Parse(args[1], CultureInfo.InvariantCulture) : 5;
        foreach (var count in silos)
        {
            var folder = Directory.CreateTempSubdirectory("federated-bench-").FullName;
            try
            {
                await using var store = await OpenAsync(args.Length > 2 ? args[2] : folder).ConfigureAwait(false);
                await MeasureAsync(count, store, seconds).ConfigureAwait(false);
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }

        return 0;
    }

    private static async Task MeasureAsync(int silos, IStore store, double seconds)
    {
        await using var cluster = await BenchSilos.StartAsync(silos, store).ConfigureAwait(false);
        var name = $"b{Environment.ProcessId}-{silos}";

        // (1) Clients that come for the first time: a durable join and a durable check-in each. Nobody is given work: the cohort is never full.
        var crowd = await Task.WhenAll(Enumerable.Range(0, Runs).Select(r => cluster.CreateAsync($"{name}-crowd-{r}", $"synchronous {Parameters} 1000000"))).ConfigureAwait(false);
        var clock = Stopwatch.StartNew();
        var arrived = new (ClusterRun[] Doors, ClientId Client)[Runs * Waiting];
        await Parallel.ForAsync(0, arrived.Length, new ParallelOptions { MaxDegreeOfParallelism = 512 }, async (i, _) =>
        {
            var doors = crowd[i % Runs];
            var (_, client, _) = await doors[i % silos].JoinAsync($"member-{i}", 10).ConfigureAwait(false);
            await doors[i % silos].CheckInAsync(client, TimeSpan.Zero, default).ConfigureAwait(false);
            arrived[i] = (doors, client);
        }).ConfigureAwait(false);
        var first = arrived.Length / clock.Elapsed.TotalSeconds;

        // (2) They ask again, as they do every half minute while they wait.
        long asked = 0;
        clock.Restart();
        await Task.WhenAll(Enumerable.Range(0, 512).Select(async worker =>
        {
            for (var i = worker; clock.Elapsed.TotalSeconds < seconds; i += 512)
            {
                var (doors, client) = arrived[i % arrived.Length];
                await doors[i % silos].CheckInAsync(client, TimeSpan.Zero, default).ConfigureAwait(false);
                Interlocked.Increment(ref asked);
            }
        })).ConfigureAwait(false);
        var again = asked / clock.Elapsed.TotalSeconds;

        // (3) Updates of 4 kB, acknowledged when their run's log has them on the disk.
        var busy = await Task.WhenAll(Enumerable.Range(0, Runs).Select(r => cluster.CreateAsync($"{name}-busy-{r}", $"buffered {Parameters} {ClientsPerRun} 10"))).ConfigureAwait(false);
        var update = BenchFactory.Update(Parameters);
        long updates = 0;
        var latencies = new List<double>[Runs * ClientsPerRun];
        var process = Process.GetCurrentProcess();
        var cpu = process.TotalProcessorTime;
        clock.Restart();
        await Task.WhenAll(Enumerable.Range(0, Runs * ClientsPerRun).Select(c => Task.Run(async () =>
        {
            var run = busy[c % Runs][c / Runs % silos];
            latencies[c] = [];
            var bytes = (byte[])update.Clone();
            var (_, client, _) = await run.JoinAsync($"member-{c}", 10).ConfigureAwait(false);
            var next = await run.CheckInAsync(client, TimeSpan.FromSeconds(60), default).ConfigureAwait(false);
            while (clock.Elapsed.TotalSeconds < seconds)
            {
                if (next is not Granted granted)
                {
                    next = await run.CheckInAsync(client, TimeSpan.FromSeconds(60), default).ConfigureAwait(false);
                    continue;
                }

                BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 4), (float)granted.Assignment.Id.Value * 1e-9f); // No two updates are alike.
                var reference = BenchFactory.Reference(bytes);
                var begun = clock.Elapsed.TotalMilliseconds;
                var result = await run.SubmitAsync(
                    new UpdateSubmission(granted.Assignment.Id, client, new UpdateReport { Examples = 10, LocalSteps = 5, Delta = reference }, Ready: true)
                    {
                        Inline = [new InlineBlob(reference, (byte[])bytes.Clone())],
                    },
                    default).ConfigureAwait(false);
                latencies[c].Add(clock.Elapsed.TotalMilliseconds - begun);
                Interlocked.Increment(ref updates);
                next = result is UpdateTaken { Next: { } given } ? given : await run.CheckInAsync(client, TimeSpan.FromSeconds(60), default).ConfigureAwait(false);
            }
        }))).ConfigureAwait(false);
        var elapsed = clock.Elapsed.TotalSeconds;
        process.Refresh();
        var sorted = latencies.SelectMany(l => l).Order().ToArray();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {silos} | {first:N0} | {again:N0} | {updates / elapsed:N0} | {sorted[sorted.Length / 2]:N1} ms | {sorted[(int)(sorted.Length * 0.99)]:N1} ms | {(process.TotalProcessorTime - cpu).TotalSeconds / updates * 1e6:N0} µs |"));
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Text;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Storage.Postgres;
using Federated.Protocol;

namespace Federated.Benchmarks.Hosting;

/// <summary>
/// Durable updates per second of one run host without a network: check, one group's sync, machine, aggregation, publication. What HTTP
/// adds is measured by the server's own benchmark.
/// </summary>
[WholeProcess(
    "host", "[parameters] [clients] [seconds] [store: a folder, or a PostgreSQL connection string] [read-ahead bytes]: acknowledged durable updates per second of a run host",
    "parameters:count", "clients:count", "seconds:number", "store:text", "read-ahead:whole")]
internal static class HostSpeed
{
    public static int Run(string[] args) => RunAsync(args).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(string[] args)
    {
        var parameters = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1000;
        var clients = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 256;
        var seconds = args.Length > 2 ? double.Parse(args[2], CultureInfo.InvariantCulture) : 5;
        var folder = Directory.CreateTempSubdirectory("federated-bench-").FullName;
        try
        {
            var place = args.Length > 3 ? args[3] : folder;
            await using IStore store = place.Contains('=', StringComparison.Ordinal) ? await PostgresStore.OpenAsync(place, default) : FileStore.Open(place);
            foreach (var (name, goal) in ((string, int)[])[("K = 10", 10), ("K = 1", 1)])
            {
                await MeasureAsync(name, store, parameters, clients, seconds, goal, args.Length > 4 ? long.Parse(args[4], CultureInfo.InvariantCulture) : new RunHostOptions().ReadAheadBytes);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        return 0;
    }

    private static async Task MeasureAsync(string name, IStore store, int parameters, int clients, double seconds, int goal, long readAhead)
    {
        var id = $"bench-{parameters}-{goal}-{Environment.ProcessId}";
        await using var host = await RunHost.OpenAsync(
            new RunEntry(id, TimeProvider.System.GetUtcNow(), Encoding.UTF8.GetBytes($"buffered {parameters} {clients} {goal}"), null), new BenchFactory(), store, new MemoryBlobs(), TimeProvider.System,
            new RunHostOptions { ReadAheadBytes = readAhead }, default);
        var file = BenchFactory.Update(parameters);
        var isInline = file.Length <= new DurabilityOptions().InlineBytes;
        long updates = 0;
        var latencies = new List<double>[clients];
        var process = Process.GetCurrentProcess();
        var (cpu, clock) = (process.TotalProcessorTime, Stopwatch.StartNew());
        var allocated = GC.GetTotalAllocatedBytes();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(c => Task.Run(async () =>
        {
            latencies[c] = [];
            var bytes = (byte[])file.Clone();
            var (_, client, _) = await host.JoinAsync($"client-{c}", 10);
            var lease = ((Granted)await host.CheckInAsync(client, TimeSpan.FromSeconds(60), default)).Assignment;
            while (clock.Elapsed.TotalSeconds < seconds)
            {
                BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 4), (float)lease.Id.Value * 1e-9f); // No two updates are alike.
                var begun = clock.Elapsed.TotalMilliseconds;
                var reference = BenchFactory.Reference(bytes);
                var report = new UpdateReport { Examples = 10, LocalSteps = 5, Delta = reference };
                var submission = new UpdateSubmission(lease.Id, client, report, Ready: true);
                SubmitResult result;
                if (isInline)
                {
                    result = await host.SubmitAsync(submission with { Inline = [new InlineBlob(reference, bytes.ToArray())] }, default);
                }
                else
                {
                    await using var writer = await store.Blobs.CreateAsync(default);
                    await writer.WriteAsync(bytes, default);
                    await writer.CommitAsync(reference, default);
                    result = await host.SubmitAsync(submission, default);
                }

                latencies[c].Add(clock.Elapsed.TotalMilliseconds - begun);
                Interlocked.Increment(ref updates);
                lease = result is UpdateTaken { Next: Granted next }
                    ? next.Assignment
                    : ((Granted)await host.CheckInAsync(client, TimeSpan.FromSeconds(60), default)).Assignment;
            }
        })));
        var elapsed = clock.Elapsed.TotalSeconds;
        process.Refresh();
        var used = (process.TotalProcessorTime - cpu).TotalSeconds;
        var sorted = latencies.SelectMany(l => l).Order().ToArray();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name,-7} {parameters,9:N0} parameters, {clients} clients: {updates / elapsed,8:N0} updates/s  {updates * (double)file.Length / elapsed / 1e6,7:N1} MB/s  "
            + $"{used / updates * 1e6,6:N0} µs CPU each  {(GC.GetTotalAllocatedBytes() - allocated) / updates,9:N0} B allocated each  "
            + $"median {sorted[sorted.Length / 2]:N1} ms, p99 {sorted[(int)(sorted.Length * 0.99)]:N1} ms  version {host.View.Version}"));
    }
}

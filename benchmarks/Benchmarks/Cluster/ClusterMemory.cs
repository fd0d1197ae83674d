using System.Diagnostics;
using System.Globalization;
using Federated.Coordinator.Orleans.Identity;
using Federated.Coordinator.Storage.Files;

namespace Federated.Benchmarks.Cluster;

/// <summary>What clients that are known, and clients that are active, take of a silo's memory.</summary>
[WholeProcess("cluster-memory", "[clients]: memory of the registry and of client grains on one silo", "clients:count")]
internal static class ClusterMemory
{
    public static int Run(string[] args) => RunAsync(args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 100_000).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(int clients)
    {
        var folder = Directory.CreateTempSubdirectory("federated-bench-").FullName;
        try
        {
            await using var store = FileStore.Open(folder);
            await using var cluster = await BenchSilos.StartAsync(1, store).ConfigureAwait(false);
            var (heap, resident) = Measure();
            var key = new string('k', 122); // A P-256 public key in base64url.
            var clock = Stopwatch.StartNew();
            await EachAsync(clients, i => cluster.Grains.GetGrain<IRegistryGrain>(Shares.OfClient(Name(i))).AddAsync(Name(i), $"ward {i}", key)).ConfigureAwait(false);
            var enrolled = Tell("enrolled, in the registry", clients, clock, heap, resident);
            clock.Restart();
            await EachAsync(clients, i => cluster.Grains.GetGrain<IClientGrain>(Name(i)).SeenAsync()).ConfigureAwait(false);
            Tell("each a client grain", clients, clock, enrolled.Heap, enrolled.Resident);
            clock.Restart();
            await EachAsync(clients, i => cluster.Grains.GetGrain<IClientGrain>(Name(i)).SeenAsync()).ConfigureAwait(false);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Asked again how they stand: {clients / clock.Elapsed.TotalSeconds:N0} a second."));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        return 0;
    }

    private static string Name(int i) => $"c-{(ulong)i * 0x9E3779B97F4A7C15:x16}";

    private static Task EachAsync(int count, Func<int, Task> act) =>
        Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 256 }, async (i, _) => await act(i).ConfigureAwait(false));

    private static (long Heap, long Resident) Measure()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        return (GC.GetTotalMemory(forceFullCollection: true), Environment.WorkingSet);
    }

    private static (long Heap, long Resident) Tell(string what, int clients, Stopwatch clock, long heap, long resident)
    {
        var rate = clients / clock.Elapsed.TotalSeconds;
        var now = Measure();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {clients:N0} {what} | {(now.Heap - heap) / 1e6:N0} MB | {(now.Heap - heap) / (double)clients:N0} B | {(now.Resident - resident) / 1e6:N0} MB | {rate:N0} |"));
        return now;
    }
}

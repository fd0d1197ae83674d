using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Federated.Benchmarks.Hosting;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Storage;
using Federated.Protocol;

namespace Federated.Benchmarks.Cluster;

/// <summary>
/// Large updates of one run that come to all silos in one request each: checked from memory on the silo that they came to and read once, ahead of
/// the loop, on their run's; against the run's silo reading them twice, once on its loop. By turns in one process. And what a partial sum would
/// cost in place of its updates.
/// </summary>
[WholeProcess(
    "cluster-updates", "[silos: 2,4] [parameters] [clients] [goal] [seconds] [rounds] [store] [another]: large updates of one run through all silos, checked where they come or at their run",
    "silos:counts", "parameters:count", "clients:count", "goal:count", "seconds:count", "rounds:count", "store:text", "another:text")]
internal static class ClusterUpdates
{
    private const int Watchers = 8;

    public static int Run(string[] args) => RunAsync(args).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(string[] args)
    {
        int At(int i, int otherwise) => args.Length > i ? int.Parse(args[i], CultureInfo.InvariantCulture) : otherwise;
        var silos = (args.Length > 0 ? args[0] : "2,4").Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture));
        var (parameters, clients, goal, seconds, rounds) = (At(1, 1_000_000), At(2, 16), At(3, 16), At(4, 8), At(5, 3));
        var folder = Directory.CreateTempSubdirectory("federated-bench-").FullName;
        try
        {
            // Of each its own: front doors follow every run of their store.
            await using var first = await ClusterSpeed.OpenAsync(args.Length > 6 ? args[6] : Path.Combine(folder, "before")).ConfigureAwait(false);
            await using var second = await ClusterSpeed.OpenAsync(args.Length > 7 ? args[7] : Path.Combine(folder, "now")).ConfigureAwait(false);
            await MeasureStoreAsync(first.Blobs, parameters).ConfigureAwait(false);
            foreach (var count in silos)
            {
                // Both stand the whole time and take turns: whatever else the machine does meanwhile meets both.
                await using var before = await OpenAsync("before", count, first, parameters, clients, goal, new FrontDoorOptions { ChecksUpdates = false }, readAhead: 0, atHand: false).ConfigureAwait(false);
                await using var now = await OpenAsync("now", count, second, parameters, clients, goal, new FrontDoorOptions(), new RunHostOptions().ReadAheadBytes, atHand: true).ConfigureAwait(false);
                await before.WorkAsync(2).ConfigureAwait(false);
                await now.WorkAsync(2).ConfigureAwait(false);
                before.Forget();
                now.Forget();
                for (var round = 0; round < rounds; round++)
                {
                    await before.WorkAsync(seconds).ConfigureAwait(false);
                    await now.WorkAsync(seconds).ConfigureAwait(false);
                }

                before.Tell(count);
                now.Tell(count);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"updates/s, now to before: {now.Rate / before.Rate:N2}"));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        return 0;
    }

    /// <summary>A partial sum is 16 bytes a coordinate where an update is four.</summary>
    private static async Task MeasureStoreAsync(IBlobStore blobs, int parameters)
    {
        var (update, sum) = (await TimeAsync(blobs, 4L * parameters).ConfigureAwait(false), await TimeAsync(blobs, 16L * parameters).ConfigureAwait(false));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"An update of {parameters:N0} is written in {update.Write:N1} ms and read in {update.Read:N1} ms; a partial sum is written in {sum.Write:N1} ms and read in {sum.Read:N1} ms: as much as reading {(sum.Write + sum.Read) / update.Read:N1} updates."));
    }

    private static async Task<(double Write, double Read)> TimeAsync(IBlobStore blobs, long length)
    {
        var bytes = new byte[length];
        List<double> writes = [], reads = [];
        for (var i = 0; i < 7; i++)
        {
            RandomNumberGenerator.Fill(bytes); // Others every time: a store keeps the same bytes once.
            var begun = Stopwatch.GetTimestamp();
            BlobReference blob;
            await using (var writer = await blobs.CreateAsync(default).ConfigureAwait(false))
            {
                await writer.WriteAsync(bytes, default).ConfigureAwait(false);
                blob = await writer.CommitAsync(null, default).ConfigureAwait(false);
            }

            writes.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            begun = Stopwatch.GetTimestamp();
            await using var stream = await blobs.OpenAsync(blob, default).ConfigureAwait(false);
            await stream.ReadExactlyAsync(bytes, default).ConfigureAwait(false);
            reads.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }

        return (writes.Order().ElementAt(3), reads.Order().ElementAt(3));
    }

    private static async Task<Arm> OpenAsync(
        string name, int silos, IStore store, int parameters, int clients, int goal, FrontDoorOptions frontDoor, long readAhead, bool atHand)
    {
        var cluster = await BenchSilos.StartAsync(silos, store, frontDoor, new RunHostOptions { RecoveryGrace = 0, ReadAheadBytes = readAhead }).ConfigureAwait(false);
        var doors = await cluster.CreateAsync($"{name}{Environment.ProcessId}-{silos}", $"buffered {parameters} {clients} {goal}").ConfigureAwait(false);
        var arm = new Arm(name, cluster, doors, store.Blobs, BenchFactory.Update(parameters), atHand);
        await arm.JoinAsync(clients).ConfigureAwait(false);
        return arm;
    }

    private sealed class Arm(string name, BenchSilos cluster, ClusterRun[] doors, IBlobStore blobs, byte[] update, bool atHand) : IAsyncDisposable
    {
        private readonly List<double> submits = [], looks = [];
        private readonly Lock gate = new();
        private CheckInResult[] next = [];
        private ClientId[] ids = [];
        private double elapsed, cpu;

        public double Rate => submits.Count / elapsed;

        public async Task JoinAsync(int clients)
        {
            ids = new ClientId[clients];
            next = new CheckInResult[clients];
            for (var c = 0; c < clients; c++)
            {
                ids[c] = (await doors[c % doors.Length].JoinAsync($"member-{c}", 10).ConfigureAwait(false)).Client;
                next[c] = await doors[c % doors.Length].CheckInAsync(ids[c], TimeSpan.FromSeconds(60), default).ConfigureAwait(false);
            }
        }

        public void Forget()
        {
            submits.Clear();
            looks.Clear();
            (elapsed, cpu) = (0, 0);
        }

        /// <summary>Every client uploads and submits all the time; others ask twenty times a second how an assignment stands, which the run's loop answers.</summary>
        public async Task WorkAsync(double seconds)
        {
            var process = Process.GetCurrentProcess();
            var before = process.TotalProcessorTime;
            var clock = Stopwatch.StartNew();
            var training = Task.WhenAll(Enumerable.Range(0, ids.Length).Select(c => Task.Run(() => TrainAsync(c, clock, seconds))));
            await Task.WhenAll([training, .. Enumerable.Range(0, Watchers).Select(w => Task.Run(() => WatchAsync(w, training)))]).ConfigureAwait(false);
            elapsed += clock.Elapsed.TotalSeconds;
            process.Refresh();
            cpu += (process.TotalProcessorTime - before).TotalSeconds;
        }

        public void Tell(int silos)
        {
            submits.Sort();
            looks.Sort();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {silos} | {name} | {Rate:N1} | {At(submits, 0.5):N1} ms | {At(submits, 0.99):N1} ms | {At(looks, 0.5):N2} ms | {At(looks, 0.99):N1} ms | {cpu / submits.Count * 1e3:N1} ms | version {doors[0].View.Version} |"));
        }

        public ValueTask DisposeAsync() => cluster.DisposeAsync();

        private static double At(List<double> sorted, double part) => sorted.Count == 0 ? double.NaN : sorted[(int)((sorted.Count - 1) * part)];

        private async Task TrainAsync(int c, Stopwatch clock, double seconds)
        {
            var run = doors[c % doors.Length];
            var bytes = (byte[])update.Clone();
            while (clock.Elapsed.TotalSeconds < seconds)
            {
                if (next[c] is not Granted granted)
                {
                    next[c] = await run.CheckInAsync(ids[c], TimeSpan.FromSeconds(1), default).ConfigureAwait(false);
                    continue;
                }

                BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 4), (float)granted.Assignment.Id.Value * 1e-9f); // No two updates are alike.
                BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 8), name[0] * 1e-9f);
                BlobReference reference;
                await using (var writer = await blobs.CreateAsync(default).ConfigureAwait(false))
                {
                    await writer.WriteAsync(bytes, default).ConfigureAwait(false);
                    reference = await writer.CommitAsync(null, default).ConfigureAwait(false);
                }

                var begun = Stopwatch.GetTimestamp();
                var submission = new UpdateSubmission(granted.Assignment.Id, ids[c], new UpdateReport { Examples = 10, LocalSteps = 5, Delta = reference }, Ready: true)
                {
                    AtHand = atHand ? [new InlineBlob(reference, (byte[])bytes.Clone())] : [],
                };
                var result = await run.SubmitAsync(submission, default).ConfigureAwait(false);
                Note(submits, begun);
                next[c] = result is UpdateTaken { Next: { } given } ? given : await run.CheckInAsync(ids[c], TimeSpan.FromSeconds(1), default).ConfigureAwait(false);
            }
        }

        private async Task WatchAsync(int w, Task until)
        {
            var run = doors[w % doors.Length];
            while (!until.IsCompleted)
            {
                var begun = Stopwatch.GetTimestamp();
                await run.WatchAsync(new AssignmentId(0), ids[0], TimeSpan.Zero, default).ConfigureAwait(false);
                Note(looks, begun);
                await Task.Delay(50).ConfigureAwait(false);
            }
        }

        private void Note(List<double> list, long begun)
        {
            lock (gate)
            {
                list.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            }
        }
    }
}

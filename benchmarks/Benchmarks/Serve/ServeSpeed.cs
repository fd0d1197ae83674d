using System.Diagnostics;
using System.Globalization;
using Federated.Coordinator.Http;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Storage.Postgres;

namespace Federated.Benchmarks.Serve;

/// <summary>
/// A coordinator in a process of its own, on files, every acknowledged update durable; eight client processes on the same machine over
/// loopback HTTP/1.1.
/// </summary>
/// <remarks>
/// Beside the rate it tells the CPU time that an update costs on both sides together: that number hardly depends on what else the machine
/// does meanwhile, and two cores allow 2 s of it a second.
/// </remarks>
[WholeProcess(
    "serve", "[small|large|upload|idle]... [--store postgres:CONNECTION]  updates a second, MB/s up and down, memory of a 1 GiB upload and of 10,000 idle clients",
    "part:small|large|upload|idle...", Options = ["--store"], Inner = ["--server", "--load", "--idle"])]
internal static class ServeSpeed
{
    private const int Processes = 8;
    private const double Seconds = 15, WarmUp = 6;

    public static int Run(string[] args) => args switch
    {
        ["--server", var folder, var store] => ServeAsync(folder, store).GetAwaiter().GetResult(),
        ["--load", var url, var parameters, var connections, var downloads] =>
            LoadAsync(new Uri(url), int.Parse(parameters, CultureInfo.InvariantCulture), int.Parse(connections, CultureInfo.InvariantCulture), downloads == "true").GetAwaiter().GetResult(),
        ["--idle", var url, var clients] => IdleAsync(new Uri(url), int.Parse(clients, CultureInfo.InvariantCulture)).GetAwaiter().GetResult(),
        [.. var parts, "--store", var store] => MeasureAsync(parts, store).GetAwaiter().GetResult(),
        _ => MeasureAsync(args, "files").GetAwaiter().GetResult(),
    };

    private static async Task<int> MeasureAsync(string[] parts, string store)
    {
        Environment.SetEnvironmentVariable("FED_HOME", Directory.CreateTempSubdirectory("fed-home-").FullName);
        Console.WriteLine($"load average before: {Load()}");
        foreach (var part in parts.Length == 0 ? ["small", "large", "upload", "idle"] : parts)
        {
            var folder = Directory.CreateTempSubdirectory("fed-bench-").FullName;
            using var server = Start("--server", folder, store);
            var url = await server.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The server did not start.");
            try
            {
                switch (part)
                {
                    case "small":
                        await UpdatesAsync("small updates (1,000 parameters)", server, url, "buffered 1000 100000 100", 1000, connections: 4, downloads: false);
                        break;
                    case "large":
                        await UpdatesAsync("updates of 1,000,000 parameters, each model downloaded", server, url, "buffered 1000000 100000 8", 1_000_000, connections: 1, downloads: true);
                        break;
                    case "upload":
                        await UploadAsync(server, url);
                        break;
                    case "idle":
                        await IdleAsync(server, url);
                        break;
                }
            }
            finally
            {
                server.StandardInput.Close();
                await server.WaitForExitAsync();
                Directory.Delete(folder, recursive: true);
            }
        }

        return 0;
    }

    private static async Task UpdatesAsync(string title, Process server, string url, string run, int parameters, int connections, bool downloads)
    {
        await server.StandardInput.WriteLineAsync(run);
        var clients = Enumerable.Range(0, Processes)
            .Select(_ => Start("--load", url, parameters.ToString(CultureInfo.InvariantCulture), connections.ToString(CultureInfo.InvariantCulture), downloads ? "true" : "false")).ToList();
        foreach (var client in clients)
        {
            await client.StandardOutput.ReadLineAsync(); // It is warm.
        }

        server.Refresh();
        var before = server.TotalProcessorTime;
        var (updates, up, down, cpu) = (0.0, 0.0, 0.0, 0.0);
        foreach (var client in clients)
        {
            var line = await client.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("A client process failed.");
            var numbers = line.Split(' ').Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray();
            (updates, up, down, cpu) = (updates + numbers[0], up + numbers[1], down + numbers[2], cpu + numbers[3]);
            await client.WaitForExitAsync();
            client.Dispose();
        }

        server.Refresh();
        var total = server.TotalProcessorTime - before;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{title}: {updates / Seconds:F0} updates/s, {up / Seconds / 1e6:F0} MB/s up, {down / Seconds / 1e6:F0} MB/s down; CPU per update: server {total.TotalMicroseconds / updates:F0} µs, client {cpu * 1e6 / updates:F0} µs, so at most {2e6 / ((total.TotalMicroseconds + (cpu * 1e6)) / updates):F0} updates/s on two free cores; server RSS {Rss(server)} MiB; load {Load()}"));
    }

    private static async Task UploadAsync(Process server, string url)
    {
        const long length = 1L << 30;
        await server.StandardInput.WriteLineAsync($"transport {length}");
        using var http = BenchClient.Connect(new Uri(url));
        var client = new BenchClient(http, "bench");
        await client.EnrolAsync("uploader");
        var before = Rss(server);
        var peak = before;
        var begun = Stopwatch.GetTimestamp();
        var uploading = client.UploadAsync(length);
        while (await Task.WhenAny(uploading, Task.Delay(50)) != uploading)
        {
            peak = Math.Max(peak, Rss(server));
        }

        await uploading;
        Console.WriteLine($"upload of 1 GiB in 64 MiB pieces: {(1 << 30) / 1e6 / Stopwatch.GetElapsedTime(begun).TotalSeconds:F0} MB/s until counted; server RSS {before} MiB before, {peak} MiB at most; load {Load()}");
    }

    private static async Task IdleAsync(Process server, string url)
    {
        const int idle = 10_000;
        await server.StandardInput.WriteLineAsync("idle 1000000");
        var before = Rss(server);
        using var clients = Start("--idle", url, idle.ToString(CultureInfo.InvariantCulture));
        var line = await clients.StandardOutput.ReadLineAsync();
        await Task.Delay(3000); // All polls are in.
        Console.WriteLine($"{line} idle clients in long polls: server RSS {before} MiB before, {Rss(server)} MiB with them; load {Load()}");
        clients.Kill();
        await clients.WaitForExitAsync();
    }

    private static async Task<int> ServeAsync(string folder, string store)
    {
        var options = new CoordinatorOptions { DataDirectory = folder, Listen = ["http://127.0.0.1:0"], ClientRate = 1e9, ClientBurst = 1e9, AddressRate = 1e9, DrainSeconds = 2 };
        IStore opened = store == "files" ? FileStore.Open(Path.Combine(folder, "store")) : await PostgresStore.OpenAsync(store["postgres:".Length..], default);
        await using var server = await CoordinatorServer.StartAsync(options, opened, new BenchRuns(), TimeProvider.System, null, default);
        Console.WriteLine(server.Addresses[0]);
        var run = await Console.In.ReadLineAsync();
        if (server.Runs.Runs.Any(r => r.Entry.Id == "bench"))
        {
            await server.Runs.DeleteAsync("bench", default); // A database is there longer than a folder.
        }

        await server.Runs.CreateAsync("bench", System.Text.Encoding.UTF8.GetBytes(run!), default);
        await Console.In.ReadToEndAsync();
        return 0;
    }

    private static async Task<int> LoadAsync(Uri url, int parameters, int connections, bool downloads)
    {
        var delta = BenchClient.Delta(parameters);
        using var http = BenchClient.Connect(url);
        var clients = new List<BenchClient>();
        for (var i = 0; i < connections; i++)
        {
            clients.Add(new BenchClient(http, "bench"));
            await clients[i].EnrolAsync($"load {Environment.ProcessId} {i}");
        }

        var begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(clients.Select(c => c.LoadAsync(delta, downloads, () => Stopwatch.GetElapsedTime(begun).TotalSeconds < WarmUp)));
        Console.WriteLine("warm");
        using var self = Process.GetCurrentProcess();
        var before = self.TotalProcessorTime;
        begun = Stopwatch.GetTimestamp();
        var done = await Task.WhenAll(clients.Select(c => c.LoadAsync(delta, downloads, () => Stopwatch.GetElapsedTime(begun).TotalSeconds < Seconds)));
        self.Refresh();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{done.Sum(d => d.Updates)} {done.Sum(d => d.Up)} {done.Sum(d => d.Down)} {(self.TotalProcessorTime - before).TotalSeconds}"));
        return 0;
    }

    private static async Task<int> IdleAsync(Uri url, int count)
    {
        using var http = BenchClient.Connect(url);
        using var gate = new SemaphoreSlim(32);
        var polls = new List<Task>();
        await Task.WhenAll(Enumerable.Range(0, count).Select(async i =>
        {
            var client = new BenchClient(http, "bench");
            await gate.WaitAsync();
            try
            {
                await client.EnrolAsync($"idle {i}");
            }
            finally
            {
                gate.Release();
            }

            lock (polls)
            {
                polls.Add(client.CheckInAsync(300));
            }
        }));
        Console.WriteLine(polls.Count(p => !p.IsCompleted));
        await Task.WhenAll(polls);
        return 0;
    }

    private static Process Start(params string[] args)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardInput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet")
        {
            start.ArgumentList.Add(typeof(ServeSpeed).Assembly.Location);
        }

        foreach (var arg in args.Prepend("serve"))
        {
            start.ArgumentList.Add(arg);
        }

        var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is { } text && !text.Contains(" info: ", StringComparison.Ordinal))
            {
                Console.Error.WriteLine(text);
            }
        };
        process.BeginErrorReadLine();
        return process;
    }

    private static long Rss(Process process)
    {
        process.Refresh();
        return process.WorkingSet64 >> 20;
    }

    private static string Load() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "?";
}

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Federated.Privacy.Hpke;
using Federated.Protocol.Shuffling;
using Federated.Shuffler;
using Federated.Shuffler.Http;

namespace Federated.Benchmarks.Shuffle;

/// <summary>
/// A shuffler with its network: reports of 1 KiB over HTTP/1.1 on loopback, from a process of its own that has them ready and keeps so many connections busy;
/// each is answered once it is durable. The shuffler's processor time is its own alone, without that of who sends.
/// </summary>
[WholeProcess(
    "shuffle-http", "[reports] [connections] [rounds]: reports/s of 1 KiB through a shuffler over HTTP; 20,000 over 256 connections by default, in 2 rounds after one for the compiler",
    "reports:count", "connections:count", "rounds:count", Inner = ["load"])]
internal static class ShuffleServing
{
    private const int Cores = 2, ReportBytes = 1024;

    public static int Run(string[] args)
    {
        if (args is ["load", var port, var file, var many])
        {
            return LoadAsync(int.Parse(port, CultureInfo.InvariantCulture), file, int.Parse(many, CultureInfo.InvariantCulture)).GetAwaiter().GetResult();
        }

        var count = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 20_000;
        return ServeAsync(count, args.Length > 1 ? args[1] : "256", args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 2).GetAwaiter().GetResult();
    }

    private static async Task<int> ServeAsync(int count, string connections, int rounds)
    {
        var folder = Directory.CreateTempSubdirectory("fed-shuffle-http-").FullName;
        try
        {
            using var keys = ShufflerKeys.Generate();
            using var coordinator = HpkePrivateKey.Generate();
            using var key = HpkePublicKey.Read(keys.Sealing.Point);
            var options = new ShufflerOptions
            {
                DataDirectory = folder, Name = "s1", Destination = new Uri("http://127.0.0.1:1"), Listen = [new ShufflerAddress("127.0.0.1", 0, null)],
                TicketKey = System.Buffers.Text.Base64Url.EncodeToString(coordinator.Point),
            };
            var server = await ShufflerServer.StartAsync(options, keys, new Sink(), TimeProvider.System, CancellationToken.None);
            await using (server)
            {
                var port = new Uri(server.Addresses[0]).Port;
                var tickets = new TicketKey(coordinator.Agree(key, TicketKey.Label));
                for (var round = 0; round <= rounds; round++)
                {
                    var (wall, cpu) = await SendAsync(folder, round, count, port, connections, tickets, key);
                    Console.WriteLine(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{(round == 0 ? "warming up, " : "")}shuffler over HTTP, {count} reports of 1 KiB on {connections} connections ({Hpke.CurveInUse}): {count / wall:N0}/s by the clock, beside who sends; by its own processor time, on {Cores} cores: {Cores * count / cpu:N0}/s ({1e6 * cpu / count:F0} µs of processor each)"));
                }
            }

            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<(double Wall, double Processor)> SendAsync(string folder, int round, int count, int port, string connections, TicketKey tickets, HpkePublicKey key)
    {
        var batch = $"v{round}";
        var requests = new byte[count][];
        Parallel.For(0, count, i =>
        {
            var ticket = new ShuffleTicket("run", batch, count, count, 3600, ReportBytes, 0, 1, (1_000_000L * round) + i, i, 4_000_000_000);
            var text = tickets.Issue(ticket);
            var envelope = ReportEnvelope.Seal(new byte[ReportBytes - 4], ReportBytes, "run", batch, "r", Encoding.ASCII.GetBytes(text), key, [key]);
            var head = $"POST /v1/reports HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {ReportEnvelope.ContentType}\r\n{TicketKey.ProofHeader}: {TicketKey.Prove(text)}\r\nContent-Length: {envelope.Length}\r\n\r\n";
            requests[i] = [.. Encoding.ASCII.GetBytes(head), .. envelope];
        });
        var file = Path.Combine(folder, batch + ".requests");
        await using (var writer = new BinaryWriter(File.Create(file)))
        {
            foreach (var request in requests)
            {
                writer.Write(request.Length);
                writer.Write(request);
            }
        }

        var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        var start = new ProcessStartInfo(Environment.ProcessPath!, [typeof(ShuffleServing).Assembly.Location, "shuffle-http", "load", port.ToString(CultureInfo.InvariantCulture), file, connections]) { RedirectStandardOutput = true };
        using var load = Process.Start(start)!;
        var told = await load.StandardOutput.ReadToEndAsync();
        await load.WaitForExitAsync();
        process.Refresh();
        return load.ExitCode == 0
            ? (double.Parse(told, CultureInfo.InvariantCulture), (process.TotalProcessorTime - before).TotalSeconds)
            : throw new InvalidOperationException($"Who sends has failed: {told}");
    }

    /// <summary>Sends a file of requests, each with its length before it, and writes the seconds that it took.</summary>
    private static async Task<int> LoadAsync(int port, string file, int connections)
    {
        var bytes = await File.ReadAllBytesAsync(file);
        List<ReadOnlyMemory<byte>> requests = [];
        for (int at = 0, length; at < bytes.Length; at += 4 + length)
        {
            length = BitConverter.ToInt32(bytes, at);
            requests.Add(bytes.AsMemory(at + 4, length));
        }

        var next = -1;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(async () =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, port);
            var response = new byte[4096];
            for (int i; (i = Interlocked.Increment(ref next)) < requests.Count;)
            {
                await socket.SendAsync(requests[i]);
                var text = "";
                while (!text.EndsWith('}'))
                {
                    var got = await socket.ReceiveAsync(response);
                    text += got > 0 ? Encoding.ASCII.GetString(response, 0, got) : throw new IOException("The shuffler has hung up.");
                }

                if (!text.StartsWith("HTTP/1.1 202", StringComparison.Ordinal))
                {
                    throw new IOException(text);
                }
            }
        })));
        Console.Write(clock.Elapsed.TotalSeconds.ToString(CultureInfo.InvariantCulture));
        return 0;
    }

    /// <summary>A coordinator that takes everything.</summary>
    private sealed class Sink : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await request.Content!.CopyToAsync(Stream.Null, cancellationToken);
            return new HttpResponseMessage(HttpStatusCode.OK);
        }
    }
}

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Shuffling;
using Federated.Coordinator.Storage.Files;
using Federated.EndToEnd.Serving;
using Federated.Privacy.Hpke;
using Federated.Privacy.Randomness;
using Federated.Protocol.Shuffling;
using Federated.Shuffler;
using Federated.Simulation.Serving;

namespace Federated.EndToEnd.Adversary;

/// <summary>
/// A shuffled run of real clients of the SDK, a real shuffler and a real coordinator over HTTP, with a <see cref="WireTap"/> before each of the two: what both received and
/// answered, the coordinator's keys, and what is left in its files, batch by batch.
/// </summary>
/// <remarks>
/// Which connection to the shuffler was whose is told, as if each client had an address of its own. It is read from the tickets with the shuffler's key, and so is the truth; the
/// adversary gets neither the key nor what only it opens.
/// </remarks>
internal static class ShuffledCapture
{
    public const int Clients = 6;

    private const string Run = "watched";

    /// <param name="permutation">What the shuffler draws its permutations from.</param>
    public static async Task<List<BatchView>> TakeAsync(int batches, IRandomSource permutation)
    {
        var folder = Directory.CreateTempSubdirectory("fed-capture-").FullName;
        var coordinator = Path.Combine(folder, "coordinator");
        var order = new WireTap.Clock();
        List<IAsyncDisposable> servers = [];
        Dictionary<string, WireTap> taps = [];
        try
        {
            var server = await TestCoordinator.StartAsync(coordinator);
            servers.Add(server);
            var names = await TestShufflers.StartAsync(server, folder, servers, 1, Tap, permutation);
            var run = await server.Runs.CreateAsync(Run, Configuration(batches, names), default);
            var shuffle = run.Parts.Shuffle!;
            using (var limit = new CancellationTokenSource(TimeSpan.FromMinutes(8)))
            {
                await Task.WhenAll(Enumerable.Range(0, Clients).Select(index => Participant.TakePartAsync(
                    Participant.OptionsOf(Run, Participant.ShardName(index), server.Url()), index, Participant.Transport(null, taps["coordinator"].Url), limit.Token)));
            }

            var (atCoordinator, atShuffler) = (taps["coordinator"].Read(), taps["s0"].Read());
            var floats = run.Parts.Layout.Count;
            foreach (var one in servers.AsEnumerable().Reverse())
            {
                await one.DisposeAsync();
            }

            servers.Clear();
            using var keys = ShufflerKeys.OpenOrCreate(Path.Combine(folder, "s0"));
            using var analyzer = AnalyzerOf(coordinator);
            var files = Directory.EnumerateFiles(coordinator, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).SelectMany(File.ReadAllBytes).ToArray();
            var envelopes = Envelopes(atShuffler, keys);
            return [.. Batches(atCoordinator).Select(b => View(b, atCoordinator, envelopes, Opened(b, analyzer, shuffle), files, floats))];
        }
        finally
        {
            foreach (var one in servers.AsEnumerable().Reverse())
            {
                await one.DisposeAsync();
            }

            foreach (var tap in taps.Values)
            {
                await tap.DisposeAsync();
            }

            Directory.Delete(folder, recursive: true);
        }

        Uri Tap(string name, Uri address) => (taps[name] = WireTap.Start(address, order, oneByOne: name != "coordinator")).Url;
    }

    private static ReadOnlyMemory<byte> Configuration(int batches, IReadOnlyList<string> shufflers) => new ExperimentRunFactory("data").Read(
        $$"""
        name: watched
        seed: 20
        data: { source: { kind: drawn-digits, writers: {{Clients}}, trainPerWriter: 12, testPerWriter: 2, size: 12 } }
        model: { kind: softmax }
        training: { kind: local, steps: 2, batchSize: 10 }
        strategy: { scheduler: { kind: synchronous, cohort: {{Clients}} }, exampleWeight: equal }
        clients: { count: {{Clients}} }
        run: { stop: { versions: {{batches}} }, evaluateEvery: 0 }
        privacy: { kind: shuffle, delta: 1e-5, reportEpsilon: 1, maxParticipations: {{batches}}, batchSeconds: 600, shufflers: [{{string.Join(", ", shufflers)}}] }
        """,
        []);

    /// <summary>The coordinator's key, from its own file: it is the adversary's.</summary>
    private static HpkePrivateKey AnalyzerOf(string coordinator)
    {
        using var stored = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(coordinator, "identity", "shuffling.json")));
        return HpkePrivateKey.Import(stored.RootElement.EnumerateObject().First(p => p.Name.Equals("analyzer", StringComparison.OrdinalIgnoreCase)).Value.GetBytesFromBase64());
    }

    private static IEnumerable<(BatchHeader Header, List<byte[]> Reports)> Batches(List<HttpExchange> atCoordinator)
    {
        HashSet<string> seen = [];
        foreach (var exchange in atCoordinator.Where(e => e.Request.Headers.ContainsKey(BatchHeader.SignatureHeader)).OrderBy(e => e.Request.Order))
        {
            var body = exchange.Request.Body;
            var length = BinaryPrimitives.ReadInt32LittleEndian(body);
            var header = BatchHeader.TryDecode(body.AsSpan(4, length))!;
            if (!header.Dropped && seen.Add(header.Id))
            {
                yield return (header, [.. Enumerable.Range(0, header.Reports).Select(i => body.AsSpan(4 + length + (i * header.ReportBytes), header.ReportBytes).ToArray())]);
            }
        }
    }

    /// <summary>By assignment, what came for it and what the shuffler found in it; the first that came, which is the one that counts.</summary>
    private static Dictionary<long, (HttpExchange Exchange, byte[] Inner)> Envelopes(List<HttpExchange> atShuffler, ShufflerKeys keys)
    {
        Dictionary<long, (HttpExchange, byte[])> found = [];
        foreach (var exchange in atShuffler.Where(e => e.Path == "/v1/reports"))
        {
            Assert.True(ReportEnvelope.TryOpenEnvelope(keys.Sealing, exchange.Request.Body, out var ticket, out var inner));
            var claims = Encoding.ASCII.GetString(ticket.Span).Split('.')[0];
            using var json = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(claims));
            found.TryAdd(json.RootElement.GetProperty("assignment").GetInt64(), (exchange, inner.ToArray()));
        }

        return found;
    }

    private static List<byte[]> Opened((BatchHeader Header, List<byte[]> Reports) batch, HpkePrivateKey analyzer, ShuffleTerms terms) =>
        [.. batch.Reports.Select(r => ReportEnvelope.TryOpenReport(analyzer, Run, batch.Header.Batch, terms.Protection.RandomizerInWords, terms.ReportBytes, r)!.Value.ToArray())];

    private static BatchView View(
        (BatchHeader Header, List<byte[]> Reports) batch, List<HttpExchange> atCoordinator, Dictionary<long, (HttpExchange Exchange, byte[] Inner)> envelopes, List<byte[]> opened, byte[] files, int floats)
    {
        var clients = batch.Header.Assignments.Select(a => ClientOf(a, atCoordinator, envelopes[a].Exchange)).ToList();
        var reports = batch.Reports.Zip(opened, (sealedReport, payload) => ReportOf(sealedReport, payload, files, floats)).Select((trace, place) =>
        {
            trace.Numbers["place"] = place;
            return new Trace(trace.Numbers, trace.Bytes);
        }).ToList();
        int[] truth = [.. batch.Header.Assignments.Select(a => batch.Reports.FindIndex(r => r.AsSpan().SequenceEqual(envelopes[a].Inner)))];
        Assert.DoesNotContain(-1, truth);
        return new BatchView(clients, reports, truth);
    }

    private static Trace ClientOf(long assignment, List<HttpExchange> atCoordinator, HttpExchange report)
    {
        var given = atCoordinator.First(e => e.Path.EndsWith("/check-ins", StringComparison.Ordinal) && AssignmentIn(e) == assignment);
        var own = atCoordinator.Where(e => e.Token == given.Token && e.Request.Order >= given.Request.Order).OrderBy(e => e.Request.Order).ToList();
        var after = own.Where(e => e.Request.Order > report.Request.Order).ToList();
        var polls = own.Where(e => e.Path.Contains($"/assignments/{assignment}", StringComparison.Ordinal)).ToList();
        var next = after.FirstOrDefault(e => e.Path.EndsWith("/check-ins", StringComparison.Ordinal));
        var numbers = new Dictionary<string, double>
        {
            ["assignment"] = assignment,
            ["arrival at the shuffler"] = report.Request.Order,
            ["port at the shuffler"] = report.Port,
            ["port at the coordinator"] = given.Port,
            ["bytes to the shuffler"] = report.Request.Head.Length + report.Request.Body.Length,
            ["shuffler's answer"] = report.Reply?.Order ?? double.MaxValue,
            ["check-in"] = given.Request.Order,
            ["assignment given"] = given.Reply!.Order,
            ["time of work"] = report.Request.Time - given.Reply.Time,
            ["first word after the report"] = after.FirstOrDefault()?.Request.Order ?? double.MaxValue,
            ["outcome heard"] = polls.LastOrDefault()?.Reply?.Order ?? double.MaxValue,
            ["next check-in"] = next?.Request.Order ?? double.MaxValue,
        };

        // All that was said for this assignment; models are the same for all, and much.
        var said = own.Where(e => e == given || polls.Contains(e)).Append(report)
            .SelectMany(e => (IEnumerable<byte>)[.. e.Request.Head, .. e.Request.Body, .. e.Reply?.Head ?? [], .. e.Reply?.Body ?? []]);
        return new Trace(numbers, [.. said]);
    }

    private static (Dictionary<string, double> Numbers, byte[] Bytes) ReportOf(byte[] sealedReport, byte[] payload, byte[] files, int floats)
    {
        var values = MemoryMarshal.Cast<byte, float>(payload.AsSpan(payload.Length - (4 * floats)).ToArray());
        var kept = files.AsSpan().IndexOf(MemoryMarshal.AsBytes(values[..8]));
        return (
            new Dictionary<string, double>
            {
                ["place"] = 0,
                ["bytes of the sealed report"] = BinaryPrimitives.ReadUInt64BigEndian(sealedReport.AsSpan(1)),
                ["bytes of the report"] = payload.Length,
                ["norm"] = Math.Sqrt(values.ToArray().Sum(v => (double)v * v)),
                ["largest value"] = values.ToArray().Max(Math.Abs),
                ["first value"] = values[0],
                ["digest"] = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(payload)),
                ["place in the coordinator's files"] = kept < 0 ? double.MaxValue : kept,
            },
            [.. sealedReport, .. payload]);
    }

    private static long AssignmentIn(HttpExchange exchange)
    {
        if (exchange.Reply is not { Body.Length: > 0 } reply || !reply.Start.Contains(" 200", StringComparison.Ordinal))
        {
            return -1;
        }

        using var json = JsonDocument.Parse(reply.Body);
        return json.RootElement.TryGetProperty("assignment", out var assignment) && assignment.ValueKind == JsonValueKind.Object ? assignment.GetProperty("id").GetInt64() : -1;
    }
}

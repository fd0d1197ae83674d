using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.EndToEnd.Serving;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Orleans.Tests.Private;

/// <summary>Runs whose reports pass a shuffler, on a cluster: its batches come to any silo, and count once.</summary>
public sealed class ShuffledRunTests
{
    private const int Clients = 4, Versions = 6;

    [Fact]
    public async Task A_batch_that_comes_to_every_silo_at_once_counts_once_also_when_the_runs_silo_dies()
    {
        await using var cluster = await PrivateCluster.StartAsync(kills: true);
        await cluster.Doors[0].Runs.CreateAsync("shuffled", cluster.Read(Configuration), default);
        var host = cluster.HostOf("shuffled");
        var other = cluster.Doors.Single(door => door != host);
        using var crowd = new Crowd(cluster) { InnerHandler = new SocketsHttpHandler() };
        await cluster.StartShufflerAsync("s0", registeredAt: host, reached: other, crowd); // The other silo finds it in the store.
        using var limit = Eventually.Guard();
        var clients = Enumerable.Range(0, Clients).Select(i => cluster.TakePartAsync("shuffled", i, new Pattern(i), limit.Token)).ToList();
        var seen = (await other.Runs.FindAsync("shuffled", default))!;
        while ((await seen.LookAsync(limit.Token)).Version < 2)
        {
            await Task.Delay(20, limit.Token);
        }

        await cluster.KillAsync(host);
        await Task.WhenAll(clients);
        var view = await seen.LookAsync(limit.Token);
        Assert.Equal((RunStatus.Finished, Versions), (view.Status, view.Version));
        Assert.True(view.Counters.Balances, view.Counters.ToString());
        Assert.Equal((Versions * Clients, 0L), (view.Counters.Accepted, view.Counters.Rejected));
        Assert.Equal(Versions * Clients, view.Spent is null ? 0 : (int)(await seen.SpendingAsync(Clients)).Nearest.Sum(c => c.Participations));
        Assert.Equal(Versions, crowd.Answers.Count);
        foreach (var (batch, answers) in crowd.Answers)
        {
            Assert.True(answers.Count(a => !a.Again) <= 1, $"Batch {batch} was new {answers.Count(a => !a.Again)} times.");
            Assert.All(answers, answer => Assert.Equal((Clients, 0, 0), (answer.Accepted, answer.Refused, answer.Malformed)));
        }

        Assert.Contains(crowd.Answers.Values, answers => answers.Any(a => a.Again)); // Or the test has not repeated anything.
    }

    [Fact]
    public async Task Every_silo_has_the_same_keys_and_shufflers_and_reads_no_report_that_comes_from_its_client()
    {
        await using var cluster = await PrivateCluster.StartAsync(kills: false);
        var keys = await Task.WhenAll(cluster.Doors.Select(door => GetAsync(door, "/v1/shuffling")));
        Assert.Equal(keys[0], keys[1]);
        await cluster.StartShufflerAsync("s0", cluster.Doors[0], cluster.Doors[1], new SocketsHttpHandler());
        Assert.Contains("\"s0\"", await GetAsync(cluster.Doors[1], "/v1/shufflers"), StringComparison.Ordinal);
        using (var http = cluster.Doors[1].Connect())
        {
            using var created = await http.PostAsync("/v1/runs", PrivateCluster.Json(JsonSerializer.Serialize(new CreateRunRequest(Configuration) { Run = "shuffled" }, WireJson.Default.CreateRunRequest)));
            Assert.True(created.StatusCode == HttpStatusCode.Created, await created.Content.ReadAsStringAsync());
        }

        using var limit = Eventually.Guard();
        List<DirectTransport> around = [];
        var clients = Enumerable.Range(0, Clients).Select(i => cluster.TakePartAsync("shuffled", i, new Pattern(i), limit.Token, around: transport =>
        {
            around.Add(new DirectTransport(transport));
            return around[^1];
        })).ToList();
        while (around.Any(a => a.Problem.Length == 0))
        {
            await Task.Delay(20, limit.Token);
        }

        await limit.CancelAsync();
        await Task.WhenAll(clients.Select(async c => await Record.ExceptionAsync(() => c)));
        Assert.All(around, a => Assert.Equal("not-shuffled", a.Problem));
        Assert.Equal(0, (await (await cluster.Doors[0].Runs.FindAsync("shuffled", default))!.LookAsync(default)).Counters.Accepted);

        using (var http = cluster.Doors[0].Connect())
        {
            using var removed = await http.DeleteAsync("/v1/shufflers/s0");
            Assert.Equal(HttpStatusCode.NoContent, removed.StatusCode);
        }

        using (var http = cluster.Doors[1].Connect())
        {
            using var refused = await http.PostAsync("/v1/runs", PrivateCluster.Json(JsonSerializer.Serialize(new CreateRunRequest(Configuration) { Run = "another" }, WireJson.Default.CreateRunRequest)));
            Assert.Contains("is not registered here", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    private static readonly string Configuration =
        $$"""
        name: shuffled
        seed: 20
        data: { set: drawn-digits, trainExamples: 40, testExamples: 10, partition: { kind: iid, clients: {{Clients}} } }
        model: { kind: softmax }
        training: { kind: local, steps: 1, batchSize: 5 }
        strategy: { scheduler: { kind: synchronous, cohort: {{Clients}} }, exampleWeight: equal }
        clients: { count: {{Clients}} }
        run: { stop: { versions: {{Versions}} }, evaluateEvery: 0 }
        privacy: { kind: shuffle, delta: 1e-5, reportEpsilon: 4, maxParticipations: {{Versions}}, batchSeconds: 3600, shufflers: [s0] }
        """;

    private static async Task<string> GetAsync(PrivateCluster.Door door, string path)
    {
        using var http = door.Connect();
        return await http.GetStringAsync(path);
    }

    /// <summary>Takes every batch to all doors that live, to each of them twice, at once.</summary>
    private sealed class Crowd(PrivateCluster cluster) : DelegatingHandler
    {
        public ConcurrentDictionary<string, ConcurrentBag<BatchReply>> Answers { get; } = new(StringComparer.Ordinal);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
            var answers = await Task.WhenAll(cluster.Doors.SelectMany(door => new[] { door, door }).Select(async door =>
            {
                using var copy = new HttpRequestMessage(request.Method, new Uri(door.Url, request.RequestUri!.PathAndQuery)) { Content = new ByteArrayContent(body), Version = HttpVersion.Version11 };
                copy.Content.Headers.ContentType = request.Content.Headers.ContentType;
                foreach (var (name, values) in request.Headers)
                {
                    copy.Headers.Add(name, values);
                }

                try
                {
                    var answer = await base.SendAsync(copy, cancellationToken);
                    if (answer.IsSuccessStatusCode)
                    {
                        var reply = JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(cancellationToken), WireJson.Default.BatchReply)!;
                        Answers.GetOrAdd(request.RequestUri!.Segments[^1], _ => []).Add(reply);
                    }

                    return answer;
                }
                catch (HttpRequestException)
                {
                    return null; // That silo has died.
                }
            }));
            return answers.OfType<HttpResponseMessage>().OrderBy(a => (int)a.StatusCode).FirstOrDefault() ?? throw new HttpRequestException("No silo answers.");
        }
    }
}

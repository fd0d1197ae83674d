using System.Net;
using Federated.Client.Session;
using Federated.Client.Transport;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Protocol.Wire;
using Federated.Simulation.Serving;

namespace Federated.EndToEnd.Serving;

/// <summary>A coordinator, one shuffler or two, and clients of the SDK, over HTTP.</summary>
public sealed class ShuffledRunTests : ShuffledTests
{
    private const int Clients = 6;

    [Theory]
    [InlineData("synchronous, cohort: 6", 1)]
    [InlineData("synchronous, cohort: 6", 2)]
    [InlineData("buffered, concurrency: 6, aggregationGoal: 3", 1)]
    public async Task ARunThroughShufflersEndsAtItsBudgetAndTheCoordinatorSawNoReportOfAnybody(string scheduler, int shufflers)
    {
        var server = await StartAsync();
        var names = await StartShufflersAsync(server, shufflers);
        var run = await server.Runs.CreateAsync("shuffled", Configuration(scheduler, names), default);
        var sessions = await Task.WhenAll(Enumerable.Range(0, Clients).Select(index => TakePartAsync(server, index)));
        await run.FinishedAsync();
        Assert.Equal(FinishReason.Budget, run.View.Ended!.Value.Reason);
        Assert.True(run.View.Counters.Balances, run.View.Counters.ToString());
        Assert.Equal(0, run.View.Counters.Rejected);
        Assert.True(sessions.Max(s => s.FinalVersion) >= 3, $"Nobody saw more than version {sessions.Max(s => s.FinalVersion)}.");
        Assert.InRange(run.View.Spent!.Epsilon, 0.1, 40);
        Assert.DoesNotContain(run.View.Spent.Assumptions, a => a.Contains("simulation", StringComparison.Ordinal));
        var card = await CardAsync(server);
        Assert.Contains(names[0], card, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AReportThatComesFromItsClientItselfIsNotRead()
    {
        var server = await StartAsync();
        var names = await StartShufflersAsync(server, 1);
        await server.Runs.CreateAsync("shuffled", Configuration("synchronous, cohort: 6", names), default);
        var direct = new DirectTransport(Participant.Transport(null, server.Url()));
        using var others = new CancellationTokenSource();
        var rest = Enumerable.Range(1, Clients - 1).Select(index => TakePartAsync(server, index, others.Token)).ToList();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        await Participant.TakePartAsync(Participant.OptionsOf("shuffled", Participant.ShardName(0), server.Url()) with { MaxUpdates = 1 }, 0, direct, limit.Token);
        Assert.Equal("not-shuffled", direct.Problem);
        await others.CancelAsync();
        await Task.WhenAll(rest.Select(async r => await Record.ExceptionAsync(() => r)));
    }

    /// <summary>Anybody may knock: what no batch of the run could have is not read before it is known who brings it.</summary>
    [Fact]
    public async Task ABatchWithALongerHeaderThanItsReportsCouldHaveIsNotRead()
    {
        var server = await StartAsync();
        var names = await StartShufflersAsync(server, 1);
        await server.Runs.CreateAsync("shuffled", Configuration("synchronous, cohort: 6", names), default);
        using var http = new HttpClient { BaseAddress = server.Url() };
        Assert.Equal("too-large", await BringAsync(64 << 20, names[0]));
        Assert.Equal("malformed", await BringAsync(100_000, names[0]));
        Assert.Equal("shuffler-unknown", await BringAsync(100, "another"));
        Assert.Equal("signature-invalid", await BringAsync(100, names[0]));

        async Task<string> BringAsync(int headerBytes, string by)
        {
            var body = new byte[4 + headerBytes];
            System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(body, headerBytes);
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/runs/shuffled/batches/0a") { Content = new ByteArrayContent(body) };
            request.Headers.ExpectContinue = true; // Refused before the body is sent.
            request.Headers.Add(Protocol.Shuffling.BatchHeader.ShufflerHeader, by);
            using var answer = await http.SendAsync(request);
            var problem = System.Text.Json.JsonSerializer.Deserialize(await answer.Content.ReadAsStringAsync(), WireJson.Default.ProblemMessage)!;
            return problem.Type[(problem.Type.LastIndexOf('/') + 1)..];
        }
    }

    [Fact]
    public async Task ARunWhoseShufflerIsNotRegisteredIsRefused()
    {
        var server = await StartAsync();
        using var http = TestCoordinator.Operator(server.Url());
        var text = System.Text.Encoding.UTF8.GetString(Configuration("synchronous, cohort: 6", ["nobody"]).Span);
        using var answer = await http.PostAsync("/v1/runs", new StringContent(System.Text.Json.JsonSerializer.Serialize(new CreateRunRequest(text), WireJson.Default.CreateRunRequest), System.Text.Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains("is not registered here", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static ReadOnlyMemory<byte> Configuration(string scheduler, IReadOnlyList<string> shufflers) => new ExperimentRunFactory("data").Read(
        $$"""
        name: shuffled
        seed: 20
        data: { set: drawn-digits, trainExamples: 200, testExamples: 40, partition: { kind: iid, clients: {{Clients}} } }
        model: { kind: softmax }
        training: { kind: local, steps: 3, batchSize: 10 }
        strategy: { scheduler: { kind: {{scheduler}} }, exampleWeight: equal }
        clients: { count: {{Clients}} }
        run: { stop: { versions: 50 } }
        privacy: { kind: shuffle, delta: 1e-5, reportEpsilon: 4, maxParticipations: 3, batchSeconds: 60, shufflers: [{{string.Join(", ", shufflers)}}] }
        """,
        []);

    private static async Task<string> CardAsync(CoordinatorServer server)
    {
        using var http = TestCoordinator.Operator(server.Url());
        return await http.GetStringAsync("/v1/runs/shuffled/card");
    }

    private static async Task<SessionSummary> TakePartAsync(CoordinatorServer server, int index, CancellationToken cancellation = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(5));
        return await Participant.TakePartAsync("shuffled", index, limit.Token, server.Url());
    }
}

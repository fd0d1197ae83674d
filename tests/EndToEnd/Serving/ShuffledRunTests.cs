using System.Globalization;
using System.Net;
using Federated.Client;
using Federated.Client.Store;
using Federated.Client.Transport;
using Federated.Coordinator;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Privacy;
using Federated.Privacy.Accounting;
using Federated.Protocol.Local;
using Federated.Protocol.Wire;
using Federated.Shuffler;
using Federated.Shuffler.Http;
using Federated.Simulation.Serving;

namespace Federated.EndToEnd.Serving;

/// <summary>A coordinator, one shuffler or two, and clients of the SDK, over HTTP.</summary>
public sealed class ShuffledRunTests : IAsyncDisposable
{
    private const int Clients = 6;

    private readonly string folder = Directory.CreateTempSubdirectory("fed-shuffled-").FullName;
    private readonly List<IAsyncDisposable> servers = [];

    static ShuffledRunTests() => _ = Fed.Home;

    public async ValueTask DisposeAsync()
    {
        foreach (var server in servers.AsEnumerable().Reverse())
        {
            await server.DisposeAsync();
        }

        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("synchronous, cohort: 6", 1)]
    [InlineData("synchronous, cohort: 6", 2)]
    [InlineData("buffered, concurrency: 6, aggregationGoal: 3", 1)]
    public async Task ARunThroughShufflersEndsAtItsBudgetAndTheCoordinatorSawNoReportOfAnybody(string scheduler, int shufflers)
    {
        var server = await StartAsync();
        var names = await ShufflersAsync(server, shufflers);
        var run = await server.Runs.CreateAsync("shuffled", Configuration(scheduler, names), default);
        var sessions = await Task.WhenAll(Enumerable.Range(0, Clients).Select(index => TakePartAsync(server, index)));
        while (run.View.Status != RunStatus.Finished)
        {
            await Task.Delay(5);
        }

        Assert.Equal(FinishReason.Budget, run.View.Ended!.Value.Reason);
        Assert.True(run.View.Counters.Balances, run.View.Counters.ToString());
        Assert.Equal((0, 3), (run.View.Counters.Rejected, sessions.Max(s => s.FinalVersion) >= 3 ? 3 : 0));
        Assert.InRange(run.View.Spent!.Epsilon, 0.1, 40);
        Assert.DoesNotContain(run.View.Spent.Assumptions, a => a.Contains("simulation", StringComparison.Ordinal));
        var card = await CardAsync(server);
        Assert.Contains(names[0], card, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AReportThatComesFromItsClientItselfIsNotRead()
    {
        var server = await StartAsync();
        var names = await ShufflersAsync(server, 1);
        await server.Runs.CreateAsync("shuffled", Configuration("synchronous, cohort: 6", names), default);
        using var http = new HttpClient { BaseAddress = new Uri(server.Addresses[0]) };
        await using var transport = new HttpTransport(new HttpTransportOptions { Endpoints = Endpoints.Of(http.BaseAddress) }, TimeProvider.System);
        var direct = new DirectTransport(transport);
        var options = OptionsOf(server, 0);
        await using var client = new FederatedClient(options with { MaxUpdates = 1 }, direct, new MemoryClientStore(new MemoryModelCache(1 << 24)), TimeProvider.System);
        using var others = new CancellationTokenSource();
        var rest = Enumerable.Range(1, Clients - 1).Select(index => TakePartAsync(server, index, others.Token)).ToList();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await client.RunAsync(new ManagedTrainer(new ManagedTrainers(), new ShardData(new SharedShards("data"), 0)), limit.Token);
        Assert.Equal("not-shuffled", direct.Problem);
        await others.CancelAsync();
        await Task.WhenAll(rest.Select(async r => await Record.ExceptionAsync(() => r)));
    }

    [Fact]
    public async Task ARunWhoseShufflerIsNotRegisteredIsRefused()
    {
        var server = await StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(server.Addresses[0]) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", LocalCoordinator.Find(http.BaseAddress)!.OperatorToken);
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

    private async Task<CoordinatorServer> StartAsync()
    {
        var server = await CoordinatorServer.StartAsync(
            new CoordinatorOptions { DataDirectory = Path.Combine(folder, "coordinator"), Listen = ["http://127.0.0.1:0"], DrainSeconds = 5 },
            FileStore.Open(Path.Combine(folder, "coordinator", "store")), new ExperimentRunFactory("data"), TimeProvider.System, null, default);
        servers.Add(server);
        return server;
    }

    /// <summary>Starts shufflers, the last first, and registers them as their operators and the coordinator's would.</summary>
    private async Task<List<string>> ShufflersAsync(CoordinatorServer server, int count)
    {
        var coordinator = new Uri(server.Addresses[0]);
        using var http = new HttpClient { BaseAddress = coordinator };
        http.DefaultRequestHeaders.Authorization = new("Bearer", LocalCoordinator.Find(coordinator)!.OperatorToken);
        var tickets = System.Text.Json.JsonSerializer.Deserialize(await http.GetStringAsync("/v1/shuffling"), WireJson.Default.ShufflingKeysMessage)!.Tickets;
        var keys = Enumerable.Range(0, count).Select(i => ShufflerKeys.OpenOrCreate(Path.Combine(folder, $"s{i}"))).ToList();
        var destination = coordinator;
        List<string> names = [];
        for (var i = count - 1; i >= 0; i--)
        {
            var options = new ShufflerOptions
            {
                DataDirectory = Path.Combine(folder, $"s{i}"), Name = $"s{i}", Destination = destination, MinBatch = 3, Listen = [new ShufflerAddress("127.0.0.1", 0, null)],
                TicketKey = i == 0 ? tickets : "", PreviousKey = i == 0 ? "" : keys[i - 1].SigningKey, FirstRetrySeconds = 0.05,
            };
            var shuffler = await ShufflerServer.StartAsync(options, keys[i], new SocketsHttpHandler(), TimeProvider.System, default);
            servers.Add(shuffler);
            destination = new Uri(shuffler.Addresses[0]);
            var message = new ShufflerMessage($"s{i}", destination.ToString(), keys[i].SealingKey, keys[i].SigningKey);
            using var added = await http.PostAsync(
                "/v1/shufflers", new StringContent(System.Text.Json.JsonSerializer.Serialize(message, WireJson.Default.ShufflerMessage), System.Text.Encoding.UTF8, "application/json"));
            Assert.Equal(HttpStatusCode.NoContent, added.StatusCode);
            names.Insert(0, message.Name);
        }

        return names;
    }

    private static async Task<string> CardAsync(CoordinatorServer server)
    {
        var url = new Uri(server.Addresses[0]);
        using var http = new HttpClient { BaseAddress = url };
        http.DefaultRequestHeaders.Authorization = new("Bearer", LocalCoordinator.Find(url)!.OperatorToken);
        return await http.GetStringAsync("/v1/runs/shuffled/card");
    }

    private static FederatedClientOptions OptionsOf(CoordinatorServer server, int index) => new()
    {
        Run = "shuffled",
        Name = string.Create(CultureInfo.InvariantCulture, $"shard-{index:D5}"),
        EnrolmentToken = LocalCoordinator.Find(new Uri(server.Addresses[0]))!.EnrolmentToken,
        FirstRetry = TimeSpan.FromMilliseconds(20),
    };

    private static async Task<Client.Session.SessionSummary> TakePartAsync(CoordinatorServer server, int index, CancellationToken cancellation = default)
    {
        await using var client = new FederatedClient(
            OptionsOf(server, index), new HttpTransport(new HttpTransportOptions { Endpoints = Endpoints.Of(new Uri(server.Addresses[0])) }, TimeProvider.System),
            new MemoryClientStore(new MemoryModelCache(1 << 24)), TimeProvider.System);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(90));
        return await client.RunAsync(new ManagedTrainer(new ManagedTrainers(), new ShardData(new SharedShards("data"), index)), limit.Token);
    }

    /// <summary>A client that goes around the shuffler.</summary>
    private sealed class DirectTransport(HttpTransport inner) : ITransport
    {
        private string run = "";
        private long assignment;

        public string Problem { get; private set; } = "";

        public bool Authenticates => inner.Authenticates;

        public string? AccessToken { get => inner.AccessToken; set => inner.AccessToken = value; }

        public int Version { get => inner.Version; set => inner.Version = value; }

        public TimeSpan ClockSkew => inner.ClockSkew;

        public ValueTask<EnrolmentReply> EnrolAsync(EnrolmentRequest request, CancellationToken cancellation) => inner.EnrolAsync(request, cancellation);

        public ValueTask<TokenReply> GetTokenAsync(TokenRequest request, CancellationToken cancellation) => inner.GetTokenAsync(request, cancellation);

        public async ValueTask<CheckInReply> CheckInAsync(string run, CheckInRequest request, CancellationToken cancellation)
        {
            var reply = await inner.CheckInAsync(run, request, cancellation);
            (this.run, assignment) = (run, reply.Assignment?.Id ?? assignment);
            return reply;
        }

        public ValueTask DownloadAsync(Protocol.BlobReference blob, Stream destination, CancellationToken cancellation) => inner.DownloadAsync(blob, destination, cancellation);

        public ValueTask<AssignmentStateMessage> GetAssignmentAsync(string run, long assignment, double waitSeconds, CancellationToken cancellation) =>
            inner.GetAssignmentAsync(run, assignment, waitSeconds, cancellation);

        public ValueTask<UpdateReply> DeclareAsync(string run, long assignment, UpdateDeclaration declaration, CancellationToken cancellation) => inner.DeclareAsync(run, assignment, declaration, cancellation);

        public ValueTask<UpdateOutcomeMessage> SendAsync(string run, long assignment, UpdateDeclaration declaration, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellation) =>
            inner.SendAsync(run, assignment, declaration, parts, cancellation);

        public async ValueTask SendReportAsync(Uri shuffler, ReadOnlyMemory<byte> envelope, CancellationToken cancellation)
        {
            var bytes = envelope.ToArray();
            var declaration = new UpdateDeclaration
            {
                Delta = new Protocol.BlobReference(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)), bytes.Length), Examples = 0, LocalSteps = 1,
            };
            try
            {
                await inner.SendAsync(run, assignment, declaration, [bytes], cancellation);
            }
            catch (ClientException e)
            {
                Problem = e.Problem!.Type;
                throw;
            }
        }

        public ValueTask<long> GetUploadOffsetAsync(string location, CancellationToken cancellation) => inner.GetUploadOffsetAsync(location, cancellation);

        public ValueTask<long> AppendAsync(string location, long offset, Stream bytes, long count, CancellationToken cancellation) => inner.AppendAsync(location, offset, bytes, count, cancellation);

        public ValueTask<RunPrivacyMessage> GetPrivacyAsync(string run, CancellationToken cancellation) => inner.GetPrivacyAsync(run, cancellation);

        public ValueTask FailAsync(string run, long assignment, FailRequest request, CancellationToken cancellation) => inner.FailAsync(run, assignment, request, cancellation);

        public ValueTask ReportEvaluationAsync(string run, int version, EvaluationReport report, CancellationToken cancellation) => inner.ReportEvaluationAsync(run, version, report, cancellation);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}

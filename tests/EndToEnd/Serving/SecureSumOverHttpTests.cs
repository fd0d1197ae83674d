using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Federated.Aggregation.Parameters;
using Federated.Client;
using Federated.Client.Store;
using Federated.Client.Training;
using Federated.Client.Transport;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Hosting;
using Federated.EndToEnd.Samples;
using Federated.Protocol;
using Federated.Protocol.Local;
using Federated.Protocol.Wire;
using Federated.Simulation.Serving;

namespace Federated.EndToEnd.Serving;

/// <summary>Secure aggregation over HTTP, with clients that fall silent: the sum is exact over those who delivered, or the session fails loudly.</summary>
public sealed class SecureSumOverHttpTests
{
    private const int Clients = 10;

    /// <summary>So many that the graph is no longer complete.</summary>
    private const int Many = 100;

    static SecureSumOverHttpTests() => _ = Fed.Home; // One for all tests of the process: it is the environment's.

    /// <summary>30 % at one phase.</summary>
    [Theory]
    [InlineData(SecureSumSteps.Keys)]
    [InlineData(SecureSumSteps.Shares)]
    [InlineData(SecureSumSteps.Input)]
    [InlineData(SecureSumSteps.Signature)]
    [InlineData(SecureSumSteps.Unmask)]
    public async Task A_sum_is_exact_when_a_third_falls_silent_at(string step)
    {
        await using var world = await World.StartAsync();
        await world.PlayAsync(i => i is 1 or 5 or 9 ? step : "", view => view.Status == RunStatus.Finished);
        int[] summed = step is SecureSumSteps.Signature or SecureSumSteps.Unmask ? [.. Enumerable.Range(0, Clients)] : [0, 2, 3, 4, 6, 7, 8];
        await world.AssertSumOfAsync(summed);
        Assert.Equal(summed.Length, world.Run.View.Counters.Accepted);
    }

    [Fact]
    public async Task A_sum_is_exact_when_one_falls_silent_at_each_phase()
    {
        await using var world = await World.StartAsync();
        await world.PlayAsync(i => i switch { 1 => SecureSumSteps.Shares, 5 => SecureSumSteps.Input, 9 => SecureSumSteps.Unmask, _ => "" }, view => view.Status == RunStatus.Finished);
        await world.AssertSumOfAsync([0, 2, 3, 4, 6, 7, 8, 9]);
    }

    /// <summary>30 % at one phase, of a hundred.</summary>
    [SlowTheory]
    [InlineData(SecureSumSteps.Keys)]
    [InlineData(SecureSumSteps.Shares)]
    [InlineData(SecureSumSteps.Input)]
    [InlineData(SecureSumSteps.Signature)]
    [InlineData(SecureSumSteps.Unmask)]
    public async Task A_sum_of_a_hundred_is_exact_when_a_third_falls_silent_at(string step)
    {
        await using var world = await World.StartAsync(Many);
        await world.PlayAsync(i => i % 10 is 1 or 5 or 9 ? step : "", view => view.Status == RunStatus.Finished);
        int[] summed = [.. Enumerable.Range(0, Many).Where(i => step is SecureSumSteps.Signature or SecureSumSteps.Unmask || i % 10 is not (1 or 5 or 9))];
        await world.AssertSumOfAsync(summed);
        Assert.Equal(summed.Length, world.Run.View.Counters.Accepted);
    }

    /// <summary>30 of a hundred in all, six at each of the five phases.</summary>
    [SlowFact]
    public Task A_sum_of_a_hundred_is_exact_when_some_fall_silent_at_every_phase() => FallSilentAtEveryPhaseAsync(Many, silent: 30);

    /// <summary>The same of forty: ten in all, two at each phase.</summary>
    [Fact]
    public Task A_sum_of_forty_is_exact_when_some_fall_silent_at_every_phase() => FallSilentAtEveryPhaseAsync(40, silent: 10);

    /// <summary>30 % of those still there at every phase, of a hundred.</summary>
    [SlowFact]
    public async Task A_session_of_a_hundred_fails_loudly_when_a_third_falls_silent_at_every_phase()
    {
        await using var world = await World.StartAsync(Many);
        await world.PlayAsync(
            i => i switch { < 30 => SecureSumSteps.Shares, < 51 => SecureSumSteps.Input, < 66 => SecureSumSteps.Signature, < 76 => SecureSumSteps.Unmask, _ => "" },
            _ => world.Run.SecureSum!.Facts().Sessions.Any(s => s.Problem.Length > 0));
        var session = world.Run.SecureSum!.Facts().Sessions.First(s => s.Problem.Length > 0);
        Assert.Contains("70 are needed", session.Problem, StringComparison.Ordinal);
        Assert.Equal((0, 0L), (world.Run.View.Version, world.Run.View.Counters.Accepted));
    }

    /// <summary>30 % at every phase are too many for ten members: nothing is opened, and it is said why.</summary>
    [Fact]
    public async Task A_session_fails_loudly_when_a_third_falls_silent_at_every_phase()
    {
        await using var world = await World.StartAsync();
        await world.PlayAsync(
            i => i switch { 1 or 5 or 9 => SecureSumSteps.Shares, 2 or 6 => SecureSumSteps.Input, 3 or 7 => SecureSumSteps.Unmask, _ => "" },
            _ => world.Run.SecureSum!.Facts().Sessions.Any(s => s.Problem.Length > 0));
        var session = world.Run.SecureSum!.Facts().Sessions.First(s => s.Problem.Length > 0);
        Assert.Contains("7 are needed", session.Problem, StringComparison.Ordinal);
        Assert.Equal((0, 0L), (world.Run.View.Version, world.Run.View.Counters.Accepted));
    }

    [Fact]
    public async Task What_does_not_belong_is_refused_before_it_is_read()
    {
        await using var world = await World.StartAsync();
        using var http = await world.EnrolAsync();
        async Task<(HttpStatusCode Status, string Body)> SendAsync(string path, string type, byte[] body)
        {
            using var content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
            using var answer = await http.PostAsync(new Uri(path, UriKind.Relative), content);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }

        const string at = "/v1/runs/sums/assignments/0";
        Assert.Equal((HttpStatusCode.Conflict, true), Shown(await SendAsync(at + "/update", UpdateEnvelope.ContentType, new byte[40]), "not-masked"));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, true), Shown(await SendAsync(at + "/secure-sum/input", SecureSumSteps.InputType, new byte[100]), "exactly"));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, true), Shown(await SendAsync(at + "/secure-sum/keys", "application/json", new byte[5000]), "at most 4096"));
        Assert.Equal((HttpStatusCode.UnsupportedMediaType, true), Shown(await SendAsync(at + "/secure-sum/keys", "text/plain", new byte[50]), "media-type"));
        Assert.Equal((HttpStatusCode.NotFound, true), Shown(await SendAsync(at + "/secure-sum/everything", "application/json", new byte[50]), "The steps are"));
        Assert.Equal((HttpStatusCode.BadRequest, true), Shown(await SendAsync(at + "/secure-sum/keys", "application/json", Encoding.UTF8.GetBytes("{\"member\": 3}")), "malformed"));
        var signature = Encoding.UTF8.GetBytes("{\"signature\": \"AAAA\"}");
        Assert.Equal((HttpStatusCode.NotFound, true), Shown(await SendAsync("/v1/runs/sums/assignments/9999/secure-sum/signature", "application/json", signature), "session-unknown"));

        static (HttpStatusCode Status, bool Says) Shown((HttpStatusCode Status, string Body) answer, string what) => (answer.Status, answer.Body.Contains(what, StringComparison.Ordinal));
    }

    private static async Task FallSilentAtEveryPhaseAsync(int clients, int silent)
    {
        string[] steps = [SecureSumSteps.Keys, SecureSumSteps.Shares, SecureSumSteps.Input, SecureSumSteps.Signature, SecureSumSteps.Unmask];
        await using var world = await World.StartAsync(clients);
        await world.PlayAsync(i => i < silent ? steps[i % 5] : "", view => view.Status == RunStatus.Finished);
        await world.AssertSumOfAsync([.. Enumerable.Range(0, clients).Where(i => i >= silent || i % 5 > 2)]);
    }

    private sealed class World(int clients, string folder, CoordinatorServer server, RunHost run, LeapingTime time) : IAsyncDisposable
    {
        private const double ClipNorm = 100;

        private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

        private readonly ConcurrentQueue<string> taken = new();

        public RunHost Run => run;

        public static async Task<World> StartAsync(int clients = Clients)
        {
            var folder = Directory.CreateTempSubdirectory("fed-sums-").FullName;
            var factory = new ExperimentRunFactory("data");
            var store = FileStore.Open(Path.Combine(folder, "store"));
            var time = new LeapingTime();
            var server = await CoordinatorServer.StartAsync(
                new CoordinatorOptions { DataDirectory = folder, Listen = ["http://127.0.0.1:0"], DrainSeconds = 5 }, store, factory, time, null, default);
            var configuration = factory.Read(
                $$"""
                name: sums
                seed: 20
                data: { set: drawn-digits, trainExamples: 200, testExamples: 40, partition: { kind: iid, clients: {{clients}} } }
                model: { kind: softmax }
                training: { kind: local, steps: 3, batchSize: 10 }
                strategy: { scheduler: { kind: synchronous, cohort: {{clients}}, minimumReports: {{clients * 7 / 10}} }, exampleWeight: equal }
                clients: { count: {{clients}} }
                run: { stop: { versions: 1 }, evaluateEvery: 0 }
                privacy: { kind: secure-sum, clipNorm: {{ClipNorm}}, corrupted: 0, phaseSeconds: 900, gatherSeconds: 900 }
                """,
                []);
            return new World(clients, folder, server, (RunHost)await server.Runs.CreateAsync("sums", configuration, default), time);
        }

        /// <summary>Plays until it is so. Deadlines are so far away that nobody who speaks misses one; a phase with the silent ends when all others' steps are there.</summary>
        public async Task PlayAsync(Func<int, string> silentAt, Func<RunView, bool> until)
        {
            using var end = new CancellationTokenSource(Patience);
            var sessions = Enumerable.Range(0, clients).Select(i => TakePartAsync(i, silentAt(i), end.Token)).ToList();
            var left = clients;
            foreach (var step in (string[])[SecureSumSteps.Keys, SecureSumSteps.Shares, SecureSumSteps.Input, SecureSumSteps.Signature])
            {
                if (Enumerable.Range(0, clients).Count(i => silentAt(i) == step) is > 0 and var silent)
                {
                    left -= silent;
                    while (taken.Count(one => one == step) < left && !until(run.View))
                    {
                        await Task.Delay(5, end.Token);
                    }

                    time.Leap(TimeSpan.FromSeconds(1000));
                }
            }

            while (!until(run.View))
            {
                await Task.Delay(20, end.Token);
            }

            await end.CancelAsync();
            await Task.WhenAll(sessions);
        }

        /// <summary>The step is that of the sum of the members' words, each rounded to the grid by itself; float32 is all that is lost.</summary>
        public async Task AssertSumOfAsync(int[] members)
        {
            var (before, after) = (await ParametersAsync(0), await ParametersAsync(1));
            var steps = int.MaxValue / clients / ClipNorm;
            for (var j = 0; j < before.Length; j++)
            {
                var mean = members.Sum(i => Math.Round(UpdateOf(i, j) * steps)) / steps / members.Length;
                var expected = before[j] + (float)mean;
                Assert.True(Math.Abs(after[j] - expected) <= 2 * (MathF.BitIncrement(Math.Abs(expected)) - Math.Abs(expected)), $"coordinate {j}: {expected} expected, {after[j]} there");
            }
        }

        /// <summary>An enrolled client's plain connection, with an assignment that nobody works on.</summary>
        public async Task<HttpClient> EnrolAsync()
        {
            using var store = new MemoryClientStore(new MemoryModelCache(1 << 20));
            var token = new TaskCompletionSource<string>();
            using var end = new CancellationTokenSource(Patience);
            var handler = new Ear(request =>
            {
                if (request.RequestUri!.AbsolutePath.EndsWith("/check-ins", StringComparison.Ordinal))
                {
                    token.TrySetResult(request.Headers.Authorization!.Parameter!);
                }
            }) { InnerHandler = new SocketsHttpHandler() };
            var client = new FederatedClient(
                OptionsOf(0), new HttpTransport(new HttpTransportOptions { Endpoints = Endpoints.Of(Url) }, TimeProvider.System, handler, ownsHandler: true), store, TimeProvider.System);
            var others = Enumerable.Range(1, clients - 1).Select(i => TakePartAsync(i, SecureSumSteps.Keys, end.Token)).ToList();
            var session = client.RunAsync(new Pattern(0), end.Token);
            var bearer = await token.Task.WaitAsync(end.Token);
            while (run.View.Counters.Dispatched < clients)
            {
                await Task.Delay(20, end.Token);
            }

            await end.CancelAsync();
            await Task.WhenAll(others);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => session);
            var http = new HttpClient { BaseAddress = Url };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
            http.DefaultRequestHeaders.Add(ProtocolVersion.Header, ProtocolVersion.Current.ToString(CultureInfo.InvariantCulture));
            return http;
        }

        public async ValueTask DisposeAsync()
        {
            await server.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }

        private Uri Url => new(server.Addresses[0]);

        private static float UpdateOf(int client, int j) => 0.01f * ((client % 10) + 1) * ((((j * 7) + (client * 13)) % 11) - 5);

        private FederatedClientOptions OptionsOf(int index) => new()
        {
            Run = "sums",
            Name = string.Create(CultureInfo.InvariantCulture, $"shard-{index:D5}"),
            EnrolmentToken = LocalCoordinator.Find(Url)!.EnrolmentToken,
            FirstRetry = TimeSpan.FromMilliseconds(50),
            LongPoll = TimeSpan.FromSeconds(5),
        };

        private async Task TakePartAsync(int index, string silentAt, CancellationToken cancellation)
        {
            var silence = new Silence(silentAt, taken) { InnerHandler = new SocketsHttpHandler() };
            await using var client = new FederatedClient(
                OptionsOf(index), new HttpTransport(new HttpTransportOptions { Endpoints = Endpoints.Of(Url) }, TimeProvider.System, silence, ownsHandler: true),
                new MemoryClientStore(new MemoryModelCache(1 << 24)), TimeProvider.System);
            try
            {
                await client.RunAsync(new Pattern(index), cancellation);
            }
            catch (OperationCanceledException)
            {
                // It had fallen silent, or the test is over.
            }
        }

        private async Task<float[]> ParametersAsync(int version)
        {
            var parameters = new float[run.Parts.Layout.Count];
            await using var stream = await server.Runs.Blobs.OpenAsync(run.View.Versions[version].Model, CancellationToken.None);
            SafetensorsReader.Open(stream).Read<float>(run.Parts.Layout, parameters);
            return parameters;
        }

        private sealed class Pattern(int client) : ITrainer
        {
            public double Examples => 10;

            public TrainingResult Train(TrainingTask task, CancellationToken cancellation)
            {
                for (var j = 0; j < task.Delta.Length; j++)
                {
                    task.Delta[j] = UpdateOf(client, j);
                }

                return new TrainingResult(Examples, 3);
            }
        }

        /// <summary>Sends nothing more once a step would be taken.</summary>
        private sealed class Silence(string step, ConcurrentQueue<string> taken) : DelegatingHandler
        {
            protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            {
                if (step.Length > 0 && request.RequestUri!.AbsolutePath.EndsWith($"/secure-sum/{step}", StringComparison.Ordinal))
                {
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                }

                var answer = await base.SendAsync(request, cancellationToken);
                if (answer.IsSuccessStatusCode && request.Method == HttpMethod.Post && request.RequestUri!.AbsolutePath.Contains("/secure-sum/", StringComparison.Ordinal))
                {
                    taken.Enqueue(request.RequestUri.AbsolutePath.Split('/')[^1]);
                }

                return answer;
            }
        }

        private sealed class Ear(Action<HttpRequestMessage> hears) : DelegatingHandler
        {
            protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            {
                hears(request);
                return base.SendAsync(request, cancellationToken);
            }
        }
    }
}

using System.Net;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Hosting;
using Federated.Coordinator.Tests.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Federated.Coordinator.Tests.Http;

/// <summary>Traffic is refused until the runs are loaded, and when they are being saved; a probe of life is answered all the time.</summary>
public sealed class ReadinessTests : IDisposable
{
    static ReadinessTests() => _ = TestServer.Home; // What a coordinator leaves for its user is not left for ours.

    private readonly Storage.TemporaryFolder folder = new();

    /// <summary>What everybody is refused with before it is asked who they are, and what is answered all the same.</summary>
    private static readonly (HttpMethod Method, string Path)[] Refused =
    [
        (HttpMethod.Get, "/v1/runs"), (HttpMethod.Get, "/v1/runs/run"), (HttpMethod.Post, "/v1/runs/run/check-ins"), (HttpMethod.Post, "/v1/runs/run/assignments/0/update"),
        (HttpMethod.Head, "/v1/uploads/00"), (HttpMethod.Get, $"/v1/blobs/{new string('a', 64)}"),
    ];

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Nothing_is_served_before_the_runs_are_loaded()
    {
        var source = new LateSource();
        var starting = CoordinatorServer.StartAsync(
            new CoordinatorOptions { DataDirectory = folder.Path, Listen = ["http://127.0.0.1:0"], DrainSeconds = 5 },
            source.Store, source.Runs, source, TimeProvider.System, null, default);
        using var http = new HttpClient { BaseAddress = await source.Listening.WaitAsync(TimeSpan.FromMinutes(2)) };

        await AssertRefusedAsync(http, Problems.Unavailable, "loading runs\n");

        source.Load.SetResult();
        await using var server = await starting;
        Assert.Equal("ready\n", await http.GetStringAsync("/readyz"));
        using var asked = await http.GetAsync("/v1/runs");
        Assert.Equal(HttpStatusCode.Unauthorized, asked.StatusCode);
    }

    [Fact]
    public async Task Nothing_new_is_begun_while_the_runs_are_saved()
    {
        var store = new FalteringStore(new FileStore(new FaultyFileSystem(1)));
        var saving = new TaskCompletionSource();
        var saved = new TaskCompletionSource();
        var server = await CoordinatorServer.StartAsync(
            new CoordinatorOptions { DataDirectory = folder.Path, Listen = ["http://127.0.0.1:0"], DrainSeconds = 5 }, store, new TestRuns(), TimeProvider.System, null, default);
        using var http = new HttpClient { BaseAddress = new Uri(server.Addresses[0]) };
        await server.Runs.CreateAsync("run", TestFactory.Buffered(1, 1), default);
        store.BeforeSnapshot = () =>
        {
            saving.TrySetResult();
            return saved.Task;
        };
        var stopping = server.StopAsync();
        await saving.Task.WaitAsync(TimeSpan.FromMinutes(2));

        await AssertRefusedAsync(http, Problems.Closing, "stopping\n");

        saved.SetResult();
        await stopping;
        await server.DisposeAsync();
    }

    /// <summary>The store fails for one run only: that one says so where probes look, and the other is served all the same.</summary>
    [Fact]
    public async Task It_says_which_run_cannot_be_opened_and_why_until_it_can()
    {
        var disk = new FaultyFileSystem(1);
        var log = "";
        await using (var first = await RunRegistry.OpenAsync(new FileStore(disk), new TestRuns(), TimeProvider.System, new RunHostOptions(), TimeSpan.Zero, default))
        {
            log = (await first.CreateAsync("a", TestFactory.Buffered(1, 1), default)).Entry.Log;
            await first.CreateAsync("b", TestFactory.Buffered(1, 1), default);
        }

        var store = new FalteringStore(new FileStore(disk)) { LoadFailure = new IOException("Input/output error."), Affected = run => run == log };
        await using var server = await CoordinatorServer.StartAsync(
            new CoordinatorOptions { DataDirectory = folder.Path, Listen = ["http://127.0.0.1:0"], DrainSeconds = 5, Host = new RunHostOptions { LongestRetry = 0.05 } },
            store, new TestRuns(), TimeProvider.System, null, default);
        using var http = new HttpClient { BaseAddress = new Uri(server.Addresses[0]) };
        using (var ready = await http.GetAsync("/readyz"))
        {
            Assert.Equal(
                (HttpStatusCode.ServiceUnavailable, "run 'a' is being opened again and again: Input/output error.\n"), (ready.StatusCode, await ready.Content.ReadAsStringAsync()));
        }

        Assert.Equal(HostState.Open, (await server.Runs.FindAsync("b", default))!.View.Host);
        store.LoadFailure = null;
        while ((await server.Runs.FindAsync("a", default))!.View.Host != HostState.Open)
        {
            await Task.Delay(5);
        }

        Assert.Equal("ready\n", await http.GetStringAsync("/readyz"));
    }

    private static async Task AssertRefusedAsync(HttpClient http, ProblemType expected, string readiness)
    {
        foreach (var (method, path) in Refused)
        {
            using var request = new HttpRequestMessage(method, path);
            request.Headers.Add("Federated-Protocol", "1");
            using var answer = await http.SendAsync(request);
            var body = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.StatusCode == HttpStatusCode.ServiceUnavailable, $"{method} {path}: {(int)answer.StatusCode} {body}");
            Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter!.Delta);
            Assert.True(method == HttpMethod.Head || body.Contains(expected.Name, StringComparison.Ordinal), body);
        }

        using var ready = await http.GetAsync("/readyz");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, readiness), (ready.StatusCode, await ready.Content.ReadAsStringAsync()));
        Assert.Equal("ok\n", await http.GetStringAsync("/healthz"));
    }

    /// <summary>Runs that are loaded when the test says so.</summary>
    private sealed class LateSource : IRunSource
    {
        private readonly TaskCompletionSource<Uri> listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Load { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IStore Store { get; } = new FileStore(new FaultyFileSystem(1));

        public TestRuns Runs { get; } = new();

        /// <summary>Where the server listens, as soon as it does.</summary>
        public Task<Uri> Listening => listening.Task;

        public void AddServices(WebApplicationBuilder builder)
        {
        }

        public async Task<IRuns> OpenAsync(IServiceProvider services, Action<RunHost>? opened, CancellationToken cancellation)
        {
            listening.SetResult(new Uri(services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()));
            await Load.Task;
            return await RunRegistry.OpenAsync(Store, Runs, TimeProvider.System, new RunHostOptions(), TimeSpan.Zero, cancellation, opened);
        }
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Privacy.Statements;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Hosting;
using Federated.Protocol.Local;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Tests.Http;

/// <summary>A whole coordinator on a port of its own, with a folder that can be handed to the next one, and a clock that can be set ahead.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    static TestServer()
    {
        Environment.SetEnvironmentVariable("FED_HOME", Home);
        AppDomain.CurrentDomain.ProcessExit += static (_, _) => Directory.Delete(Home, recursive: true);
    }

    private readonly Version version;
    private bool isHandedOver;

    private TestServer(CoordinatorServer server, string folder, AheadTime clock, Version version)
    {
        (Server, Folder, Clock, this.version) = (server, folder, clock, version);
        var handler = new SocketsHttpHandler { PooledConnectionIdleTimeout = TimeSpan.FromSeconds(5) };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true; // Its own authority's.
        Http = new HttpClient(handler) { BaseAddress = new Uri(server.Addresses[0]) };
        Local = LocalCoordinator.Find(Http.BaseAddress)!;
    }

    /// <summary>In place of the user's own, for all tests of the process: it is the environment's.</summary>
    public static string Home { get; } = Directory.CreateTempSubdirectory("fed-home-").FullName;

    public CoordinatorServer Server { get; }

    public string Folder { get; }

    public AheadTime Clock { get; }

    public HttpClient Http { get; }

    public LocalCoordinator Local { get; }

    public static async Task<TestServer> StartAsync(string? folder = null, Func<CoordinatorOptions, CoordinatorOptions>? change = null, IReadOnlyList<string>? listen = null, Version? version = null,
        Func<IStore, IStore>? watch = null)
    {
        folder ??= Directory.CreateTempSubdirectory("fed-serve-").FullName;
        var clock = new AheadTime();
        var options = new CoordinatorOptions { DataDirectory = folder, Listen = listen ?? ["http://127.0.0.1:0"], ClientRate = 1e6, ClientBurst = 1e6, AddressRate = 1e6, DrainSeconds = 5 };
        try
        {
            var store = FileStore.Open(Path.Combine(folder, "store"));
            var server = await CoordinatorServer.StartAsync(
                change?.Invoke(options) ?? options, watch?.Invoke(store) ?? store, new TestRuns(), clock, null, default);
            return new TestServer(server, folder, clock, version ?? HttpVersion.Version11);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Its folder, which the next coordinator is to be started on; the last one deletes it.</summary>
    public string HandOver()
    {
        isHandedOver = true;
        return Folder;
    }

    /// <summary>A run that gives everybody work at once: <c>buffered 100 2</c>.</summary>
    public async Task<string> CreateRunAsync(string configuration = "buffered 100 2")
    {
        using var response = await SendAsync(HttpMethod.Post, "/v1/runs", Local.OperatorToken, JsonSerializer.Serialize(new CreateRunRequest(configuration), WireJson.Default.CreateRunRequest));
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.Created, body);
        return JsonSerializer.Deserialize(body, WireJson.Default.RunDetailMessage)!.Summary.Run;
    }

    /// <summary>Waits until so many clients of its run are connected and wait for work.</summary>
    public async Task UntilPollsAsync(int count)
    {
        for (var attempt = 0; Server.Runs.Runs.Single().View.LongPolls != count; attempt++)
        {
            Assert.True(attempt < 20_000, $"There are {Server.Runs.Runs.Single().View.LongPolls} long polls instead of {count}.");
            await Task.Delay(5);
        }
    }

    public Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, string? token = null, string? json = null, byte[]? bytes = null, string contentType = "application/json", Action<HttpRequestMessage>? change = null,
        CancellationToken cancellation = default)
    {
        var request = new HttpRequestMessage(method, path) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Add("Federated-Protocol", "1");
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        if (json is not null || bytes is not null)
        {
            request.Content = new ByteArrayContent(bytes ?? Encoding.UTF8.GetBytes(json!));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        }

        change?.Invoke(request);
        return Http.SendAsync(request, cancellation);
    }

    /// <summary>The request is refused with this problem.</summary>
    public static async Task<ProblemMessage> RefusedAsync(ProblemType expected, Task<HttpResponseMessage> sending)
    {
        using var response = await sending;
        var body = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == expected.Status, $"{(int)response.StatusCode} instead of {expected.Status} ({expected.Name}): {body}");
        var problem = JsonSerializer.Deserialize(body, WireJson.Default.ProblemMessage)!;
        Assert.Equal(expected.Name, problem.Name);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        return problem;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
        if (!isHandedOver && Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
    }
}

/// <summary><see cref="TestFactory"/>'s runs, created by their own words.</summary>
internal sealed class TestRuns : IRunFactory, IRunConfigurations
{
    private readonly TestFactory factory = new();

    public RunParts Create(ReadOnlyMemory<byte> configuration, IBlobStore blobs) => factory.Create(configuration, blobs);

    public byte[] Read(string text, IReadOnlyList<string> sets) => Encoding.UTF8.GetBytes(text);

    public RunDescription Describe(ReadOnlyMemory<byte> configuration) => new("test", Encoding.UTF8.GetString(configuration.Span), "one-hot", "64 numbers", StatementOf(configuration));

    private static PrivacyStatement StatementOf(ReadOnlyMemory<byte> configuration)
    {
        using var privacy = TestFactory.PrivacyOf(Encoding.UTF8.GetString(configuration.Span).Split(' '));
        return privacy is null ? PrivacyStatement.None(StatementSetting.Served) : PrivacyStatement.Of(privacy.Policy, StatementSetting.Served);
    }
}

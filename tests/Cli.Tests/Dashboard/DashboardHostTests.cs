using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Federated.Cli.Dashboard;
using Federated.Coordinator.Dashboard.Feed;

namespace Federated.Cli.Tests.Dashboard;

/// <summary>The dashboard's server as a browser meets it: over a socket.</summary>
public sealed class DashboardHostTests : IAsyncLifetime
{
    private readonly ViewFeed feed = new(new RunHeader { Id = "run", Name = "a run", Strategy = "s", Source = FeedSource.Simulation });
    private readonly Controls controls = new();
    private DashboardHost host = null!;
    private HttpClient http = null!;

    private string Operator => host.OperatorLink().Split("token=")[1];

    private string Viewer => host.ViewerLink().Split("token=")[1];

    public async Task InitializeAsync()
    {
        host = await DashboardHost.StartAsync(0, TimeProvider.System);
        host.Feeds.Add(feed, controls);
        http = new HttpClient { BaseAddress = new Uri(host.OperatorLink().Split('#')[0]) };
    }

    public async Task DisposeAsync()
    {
        http.Dispose();
        await host.DisposeAsync();
    }

    [Theory]
    [InlineData("v1/dashboard")]
    [InlineData("v1/dashboard/system")]
    [InlineData("v1/runs/run/feed")]
    [InlineData("v1/runs/run/metrics")]
    [InlineData("v1/runs/run/clients")]
    [InlineData("hubs/runs")]
    public async Task WithoutATokenNothingIsTold(string path) => Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(HttpMethod.Get, path, null)).StatusCode);

    [Fact]
    public async Task AWrongTokenIsNoToken() =>
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(HttpMethod.Get, "v1/dashboard", new string('x', Operator.Length))).StatusCode);

    [Fact]
    public async Task AViewerLooksAndCannotAct()
    {
        using var overview = JsonDocument.Parse(await (await SendAsync(HttpMethod.Get, "v1/dashboard", Viewer)).Content.ReadAsStringAsync());
        Assert.Equal("viewer", overview.RootElement.GetProperty("role").GetString());
        using var header = JsonDocument.Parse(await (await SendAsync(HttpMethod.Get, "v1/runs/run/feed", Viewer)).Content.ReadAsStringAsync());
        Assert.False(header.RootElement.GetProperty("canControl").GetBoolean());
        foreach (var verb in (string[])["pause", "resume", "stop"])
        {
            Assert.Equal(HttpStatusCode.Forbidden, (await SendAsync(HttpMethod.Post, $"v1/runs/run:{verb}", Viewer)).StatusCode);
        }

        Assert.Empty(controls.Calls);
    }

    [Fact]
    public async Task AnOperatorActs()
    {
        foreach (var verb in (string[])["pause", "resume", "stop"])
        {
            Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Post, $"v1/runs/run:{verb}", Operator)).StatusCode);
        }

        Assert.Equal(["pause", "resume", "stop"], controls.Calls);
    }

    [Fact]
    public async Task AnotherNameForThisMachineIsRefused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "v1/dashboard") { Headers = { Host = "rebound.example", Authorization = new AuthenticationHeaderValue("Bearer", Operator) } };
        Assert.Equal(HttpStatusCode.MisdirectedRequest, (await http.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task AMissingRunIsNamed()
    {
        var answer = await SendAsync(HttpMethod.Get, "v1/runs/other/metrics", Viewer);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task ThePageLoadsNothingFromElsewhere()
    {
        var page = await http.GetAsync("");
        if (!host.IsBuilt)
        {
            Assert.Equal(HttpStatusCode.NotFound, page.StatusCode); // Built without Node.js: the answer says what to do.
            Assert.Contains("Node.js", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            return;
        }

        Assert.Contains("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.DoesNotContain("http", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheHubStreamsFramesToAViewer()
    {
        using var socket = new ClientWebSocket();
        var uri = new UriBuilder(http.BaseAddress!) { Scheme = "ws", Path = "hubs/runs", Query = $"access_token={Viewer}" }.Uri;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await socket.ConnectAsync(uri, limit.Token);
        await SendAsync(socket, """{"protocol":"json","version":1}""", limit.Token);
        await SendAsync(socket, """{"type":4,"invocationId":"1","target":"Watch","arguments":["run",["curves"]]}""", limit.Token);
        var first = await ReceiveAsync(socket, "standing", limit.Token);
        Assert.Contains("\"created\"", first, StringComparison.Ordinal);
        feed.Add(new MetricsPoint(1, 1, 1, 1, 0.75, 1, 0, 0, 0, 0, double.NaN));
        Assert.Contains("0.75", await ReceiveAsync(socket, "metrics", limit.Token), StringComparison.Ordinal);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? token)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return await http.SendAsync(request);
    }

    private static Task SendAsync(ClientWebSocket socket, string json, CancellationToken cancellation) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(json + "\u001e"), WebSocketMessageType.Text, endOfMessage: true, cancellation);

    /// <summary>The next message that holds a word; pings and the handshake pass by.</summary>
    private static async Task<string> ReceiveAsync(ClientWebSocket socket, string word, CancellationToken cancellation)
    {
        var buffer = new byte[64 * 1024];
        var text = "";
        while (!text.Contains(word, StringComparison.Ordinal))
        {
            var length = 0;
            for (var isWhole = false; !isWhole;)
            {
                var result = await socket.ReceiveAsync(new ArraySegment<byte>(buffer, length, buffer.Length - length), cancellation);
                Assert.NotEqual(WebSocketMessageType.Close, result.MessageType);
                (length, isWhole) = (length + result.Count, result.EndOfMessage);
            }

            text = Encoding.UTF8.GetString(buffer, 0, length);
        }

        return text;
    }

    private sealed class Controls : IRunControl
    {
        public List<string> Calls { get; } = [];

        public void Pause() => Calls.Add("pause");

        public void Resume() => Calls.Add("resume");

        public void Stop() => Calls.Add("stop");
    }
}

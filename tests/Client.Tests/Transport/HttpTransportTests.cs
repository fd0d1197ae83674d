using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Federated.Client.Tests.Fakes;
using Federated.Client.Transport;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Client.Tests.Transport;

/// <summary>Requests as they stand on the wire, against a handler in place of a network.</summary>
public sealed class HttpTransportTests : IAsyncLifetime
{
    private readonly Wire wire = new();
    private readonly VirtualTime time = new();
    private readonly HttpTransport transport;

    public HttpTransportTests() => transport = new HttpTransport(
        new HttpTransportOptions { Endpoints = Endpoints.Of(new Uri("http://one:1"), new Uri("http://two:2")) }, time, wire, ownsHandler: false) { AccessToken = "t0k" };

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await transport.DisposeAsync();
        wire.Dispose();
    }

    [Fact]
    public async Task ACheckInIsAsTheProtocolSays()
    {
        wire.Answer = _ => Json("""{"wait": {"reason": "r", "retryAfterSeconds": 2}}""");
        var reply = await transport.CheckInAsync("heart", new CheckInRequest(1200, 60), default);
        Assert.Equal(2, reply.Wait!.RetryAfterSeconds);
        Assert.Equal("POST http://one:1/v1/runs/heart/check-ins", wire.Lines[0]);
        Assert.Equal("""{"examples":1200,"waitSeconds":60}""", wire.Bodies[0]);
        Assert.Equal(("1", "Bearer t0k"), (wire.Header("Federated-Protocol"), wire.Header("Authorization")));
    }

    [Fact]
    public async Task EnrolmentCarriesNoToken()
    {
        wire.Answer = _ => Json("""{"client": "c-1", "coordinator": "k"}""");
        await transport.EnrolAsync(new EnrolmentRequest("t", "k", "n"), default);
        Assert.Equal("", wire.Header("Authorization"));
    }

    [Fact]
    public async Task AProblemIsReadWithAllThatItSays()
    {
        wire.Answer = _ =>
        {
            var answer = Json("""{"type": "/problems/upload-offset", "title": "t", "status": 409, "detail": "d", "instance": "x", "more": 1}""", HttpStatusCode.Conflict, "application/problem+json");
            answer.Headers.Add("Upload-Offset", "17");
            answer.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(9));
            return answer;
        };
        var problem = await ProblemOfAsync(() => transport.GetUploadOffsetAsync("/v1/uploads/u", default));
        Assert.Equal(new Problem(409, "upload-offset", "d") { UploadOffset = 17, RetryAfter = TimeSpan.FromSeconds(9) }, problem);
        Assert.False(problem.IsTransient);
    }

    [Fact]
    public async Task AProtocolProblemSaysWhatIsSpoken()
    {
        wire.Answer = _ => Json("""{"type": "/problems/protocol-version", "oldest": 2, "current": 3}""", (HttpStatusCode)426, "application/problem+json");
        Assert.Equal((2, 3), (await ProblemOfAsync(() => transport.GetUploadOffsetAsync("/v1/uploads/u", default))).Speaks);
    }

    [Theory]
    [InlineData("<html>Welcome to our hotel</html>")]
    [InlineData("""{"surprise": 1}""")]
    [InlineData("null")]
    public async Task AReplyThatIsNoneOfTheCoordinatorsMayBecomeOneLater(string text)
    {
        wire.Answer = _ => Json(text);
        Assert.True((await ProblemOfAsync(() => transport.CheckInAsync("heart", new CheckInRequest(1, 1), default))).IsTransient);
    }

    [Fact]
    public async Task WhoDoesNotAnswerIsLeftForTheNextAndLookedUpAnewAtLast()
    {
        wire.Answer = _ => throw new HttpRequestException("refused");
        for (var i = 0; i < 3; i++)
        {
            Assert.True((await ProblemOfAsync(() => transport.CheckInAsync("heart", new CheckInRequest(1, 1), default))).IsTransient);
        }

        Assert.Equal(["one", "two", "one"], wire.Lines.Select(l => new Uri(l.Split(' ')[1]).Host));
    }

    [Fact]
    public async Task ADownloadGoesOnWhereItStands()
    {
        var content = Encoding.ASCII.GetBytes("0123456789");
        wire.Answer = request =>
        {
            var from = (int?)request.Headers.Range?.Ranges.Single().From ?? 0;
            var answer = new HttpResponseMessage(from > 0 ? HttpStatusCode.PartialContent : HttpStatusCode.OK) { Content = new ByteArrayContent(content[from..]) };
            answer.Content.Headers.ContentRange = from > 0 ? new ContentRangeHeaderValue(from, 9, 10) : null;
            return answer;
        };
        using var destination = new MemoryStream();
        destination.Write("0123"u8);
        await transport.DownloadAsync(new BlobReference("aa", 10), destination, default);
        Assert.Equal("0123456789", Encoding.ASCII.GetString(destination.ToArray()));
        Assert.Equal("bytes=4-", wire.Header("Range"));
    }

    [Fact]
    public async Task ADownloadWithoutRangesBeginsAnew()
    {
        wire.Answer = _ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent("0123456789"u8.ToArray()) };
        using var destination = new MemoryStream();
        destination.Write("xxxx"u8);
        await transport.DownloadAsync(new BlobReference("aa", 10), destination, default);
        Assert.Equal("0123456789", Encoding.ASCII.GetString(destination.ToArray()));
    }

    [Fact]
    public async Task ADownloadTakesNoMoreThanTheBlobHas()
    {
        wire.Answer = _ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(new byte[1000]) };
        using var destination = new MemoryStream();
        await ProblemOfAsync(async () =>
        {
            await transport.DownloadAsync(new BlobReference("aa", 10), destination, default);
            return 0;
        });
        Assert.True(destination.Length <= 10);
    }

    [Fact]
    public async Task AnUploadSendsItsPieceFromWhereItStands()
    {
        wire.Answer = _ =>
        {
            var answer = new HttpResponseMessage(HttpStatusCode.NoContent);
            answer.Headers.Add("Upload-Offset", "7");
            return answer;
        };
        using var source = new MemoryStream("0123456789"u8.ToArray()) { Position = 3 };
        Assert.Equal(7, await transport.AppendAsync("/v1/uploads/u", 3, source, 4, default));
        Assert.Equal(("PATCH http://one:1/v1/uploads/u", "3456", "3"), (wire.Lines[0], wire.Bodies[0], wire.Header("Upload-Offset")));
    }

    [Fact]
    public async Task ATransferThatStandsStillIsBrokenOff()
    {
        wire.Answer = _ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(new Silent()) };
        using var destination = new MemoryStream();
        var download = ProblemOfAsync(async () =>
        {
            await transport.DownloadAsync(new BlobReference("aa", 10), destination, default);
            return 0;
        });
        while (!download.IsCompleted)
        {
            time.Advance();
            await Task.Yield();
        }

        Assert.Contains("stood still", (await download).Detail, StringComparison.Ordinal);
        Assert.True((await download).IsTransient);
    }

    [Fact]
    public async Task TheCoordinatorsClockIsLearntFromItsReplies()
    {
        wire.Answer = _ =>
        {
            var answer = Json("""{"client": "c-1", "coordinator": "k"}""");
            answer.Headers.Date = time.GetUtcNow() + TimeSpan.FromDays(400);
            return answer;
        };
        await transport.EnrolAsync(new EnrolmentRequest("t", "k", "n"), default);
        Assert.InRange(transport.ClockSkew.TotalDays, 399.99, 400.01);
    }

    [Fact]
    public async Task AFileOfAddressesIsReadAnewWhenNobodyAnswers()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "addresses");
        File.WriteAllText(path, "# where it is\nhttp://old:1\n");
        await using var moving = new HttpTransport(new HttpTransportOptions { Endpoints = Endpoints.FromFile(path) }, time, wire, ownsHandler: false);
        wire.Answer = request => request.RequestUri!.Host == "old" ? throw new HttpRequestException("refused") : Json("""{"over": {"reason": "r", "finalVersion": 1}}""");
        await ProblemOfAsync(() => moving.CheckInAsync("heart", new CheckInRequest(1, 1), default));
        File.WriteAllText(path, "http://new:2\n");
        Assert.NotNull((await moving.CheckInAsync("heart", new CheckInRequest(1, 1), default)).Over);
    }

    private static HttpResponseMessage Json(string text, HttpStatusCode status = HttpStatusCode.OK, string type = "application/json") =>
        new(status) { Content = new StringContent(text, Encoding.UTF8, type) };

    /// <summary>A network that swallows what is sent to it: nothing but this option ends the wait.</summary>
    [Fact]
    public async Task AConnectionThatDoesNotOpenIsGivenUpAfterTheTimeThatItMayTake()
    {
        var options = new HttpTransportOptions { Endpoints = Endpoints.Of(new Uri("http://nowhere.test:1")), ConnectTimeout = TimeSpan.FromMilliseconds(50), IdleTimeout = TimeSpan.FromHours(1) };
        var handler = HttpTransport.CreateHandler(options);
        handler.ConnectCallback = async (_, token) =>
        {
            await Task.Delay(Timeout.Infinite, token);
            return Stream.Null;
        };
        await using var far = new HttpTransport(options, time, handler, ownsHandler: true);
        var problem = await ProblemOfAsync(() => far.CheckInAsync("heart", new CheckInRequest(1, 0), default)).WaitAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(0, problem.Status);
        Assert.True(problem.IsTransient);
    }

    private static async Task<Problem> ProblemOfAsync<T>(Func<ValueTask<T>> call) => (await Assert.ThrowsAsync<ClientException>(async () => await call())).Problem!;

    private static async Task<Problem> ProblemOfAsync(Func<Task<int>> call) => (await Assert.ThrowsAsync<ClientException>(call)).Problem!;

    /// <summary>Keeps what was sent, and answers as the test says.</summary>
    private sealed class Wire : HttpMessageHandler
    {
        private HttpRequestMessage? last;

        public Func<HttpRequestMessage, HttpResponseMessage> Answer { get; set; } = _ => new HttpResponseMessage(HttpStatusCode.OK);

        public List<string> Lines { get; } = [];

        public List<string> Bodies { get; } = [];

        public string Header(string name) => last!.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : "";

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            last = request;
            Lines.Add($"{request.Method} {request.RequestUri}");
            Bodies.Add(request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken));
            var answer = Answer(request);
            answer.RequestMessage = request;
            return answer;
        }
    }

    /// <summary>A body that never comes.</summary>
    private sealed class Silent : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}

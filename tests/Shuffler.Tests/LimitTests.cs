using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Federated.Privacy.Hpke;
using Federated.Protocol.Shuffling;
using Federated.Shuffler.Http;

namespace Federated.Shuffler.Tests;

/// <summary>What a shuffler takes of a client, by its length alone: none of it has been read when it is refused.</summary>
public sealed class LimitTests : IAsyncLifetime
{
    private const int MaxReportBytes = 1 << 20, MaxBytesInFlight = 1 << 20;

    /// <summary>A short envelope's bytes; what is sent here is opened before it is found to be none.</summary>
    private static readonly int Shortest = (int)ReportEnvelope.EnvelopeBytes(Claims(reportBytes: 64));

    private readonly ShufflerKeys keys = ShufflerKeys.Generate();
    private readonly HpkePrivateKey coordinator = HpkePrivateKey.Generate();
    private readonly TicketKey tickets;
    private readonly string folder = Directory.CreateTempSubdirectory("fed-limits-").FullName;
    private ShufflerServer? server;
    private HttpClient? http;

    public LimitTests()
    {
        using var key = HpkePublicKey.Read(keys.Sealing.Point);
        tickets = new TicketKey(coordinator.Agree(key, TicketKey.Label));
    }

    public async Task InitializeAsync()
    {
        var options = new ShufflerOptions
        {
            DataDirectory = folder, Name = "s1", Destination = new Uri("http://coordinator.test"), Listen = [new ShufflerAddress("127.0.0.1", 0, null)],
            TicketKey = Base64Url.EncodeToString(coordinator.Point), MaxReportBytes = MaxReportBytes, MaxBytesInFlight = MaxBytesInFlight,
        };
        server = await ShufflerServer.StartAsync(options, keys, new Nobody(), TimeProvider.System, default);
        http = new HttpClient { BaseAddress = new Uri(server.Addresses[0]) };
    }

    public async Task DisposeAsync()
    {
        http!.Dispose();
        await server!.DisposeAsync();
        keys.Dispose();
        coordinator.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static ShuffleTicket Claims(int reportBytes) => new("run", "v1", 2, 4, 600, reportBytes, 0, 1, 1, 1, 4_000_000_000);

    /// <summary>What a client shows that has a ticket for envelopes of so many bytes.</summary>
    private string ProofOf(int length) => TicketKey.Prove(tickets.Issue(Claims(64 + length - Shortest)));

    /// <summary>Sends so many bytes that nobody sealed.</summary>
    private async Task<(HttpStatusCode Status, string Text, TimeSpan? RetryAfter)> PostAsync(int length)
    {
        using var content = new ByteArrayContent(new byte[length]);
        content.Headers.Add(TicketKey.ProofHeader, ProofOf(length));
        using var answer = await http!.PostAsync("/v1/reports", content);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer.Headers.RetryAfter?.Delta);
    }

    private Task<Announced> AnnounceAsync(int length) => Announced.AsLongAsAsync(http!.BaseAddress!, ProofOf(length), length);

    [Fact]
    public async Task AReportAsLongAsMayBeIsReadAndALongerOneIsNot()
    {
        var longest = await PostAsync(MaxReportBytes);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, longest.Status); // It was looked at: nobody sealed it.
        using var unsent = await AnnounceAsync(MaxReportBytes + 1);
        Assert.StartsWith("HTTP/1.1 413 ", await unsent.AnswerAsync(), StringComparison.Ordinal); // None of it was sent.
    }

    [Fact]
    public async Task MoreThanIsReceivedAtOnceHasToWaitForIt()
    {
        Announced? announced = null;
        (HttpStatusCode Status, string Text, TimeSpan? RetryAfter) other;
        do
        {
            announced?.Dispose();
            announced = await AnnounceAsync(MaxBytesInFlight - Shortest);
            other = await PostAsync(Shortest + 1); // It may be there before the announcement, or long after it, when that is not waited for any more.
        }
        while (other.Status == HttpStatusCode.UnprocessableEntity);

        using var first = announced;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, other.Status);
        Assert.Contains("busy", other.Text, StringComparison.Ordinal);
        Assert.NotNull(other.RetryAfter);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(Shortest)).Status); // For so much there is room.
        first.Dispose();
        do
        {
            other = await PostAsync(Shortest + 1); // Until its room is given back, when it is seen that nobody sends it.
        }
        while (other.Status == HttpStatusCode.ServiceUnavailable);

        Assert.Equal(HttpStatusCode.UnprocessableEntity, other.Status);
    }

    /// <summary>A report that is announced and not sent.</summary>
    private sealed class Announced(Socket socket) : IDisposable
    {
        public static async Task<Announced> AsLongAsAsync(Uri server, string proof, int length)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(server.Host, server.Port);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"POST /v1/reports HTTP/1.1\r\nHost: {server.Authority}\r\n{TicketKey.ProofHeader}: {proof}\r\nContent-Length: {length}\r\n\r\n"));
            return new Announced(socket);
        }

        /// <returns>The first line of the answer.</returns>
        public async Task<string> AnswerAsync()
        {
            using var reader = new StreamReader(new NetworkStream(socket, ownsSocket: false));
            return await reader.ReadLineAsync() ?? "";
        }

        public void Dispose() => socket.Dispose();
    }

    private sealed class Nobody : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new HttpRequestException("Nobody is there.");
    }
}

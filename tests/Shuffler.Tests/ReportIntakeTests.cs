using System.Buffers.Text;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Federated.Privacy.Hpke;
using Federated.Protocol.Shuffling;
using Federated.Shuffler.Http;

namespace Federated.Shuffler.Tests;

/// <summary>What a shuffler takes of a client, and what it refuses before the envelope is read: in those tests none is ever sent.</summary>
public sealed class ReportIntakeTests : IAsyncLifetime
{
    private const int ReportBytes = 64;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly ShufflerKeys keys = ShufflerKeys.Generate();
    private readonly HpkePrivateKey coordinator = HpkePrivateKey.Generate();
    private readonly HpkePublicKey key;
    private readonly TicketKey tickets;
    private readonly string folder = Directory.CreateTempSubdirectory("fed-intake-").FullName;
    private ShufflerServer? server;

    public ReportIntakeTests()
    {
        key = HpkePublicKey.Read(keys.Sealing.Point);
        tickets = new TicketKey(coordinator.Agree(key, TicketKey.Label));
    }

    public async Task InitializeAsync()
    {
        var options = new ShufflerOptions
        {
            DataDirectory = folder, Name = "s1", Destination = new Uri("http://coordinator.test"), MinBatch = 2, Listen = [new ShufflerAddress("127.0.0.1", 0, null)],
            TicketKey = Base64Url.EncodeToString(coordinator.Point), MaxReportBytes = 1 << 20,
        };
        server = await ShufflerServer.StartAsync(options, keys, new Nobody(), TimeProvider.System, default);
    }

    public async Task DisposeAsync()
    {
        await server!.DisposeAsync();
        keys.Dispose();
        key.Dispose();
        coordinator.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task AReportWithItsTicketIsHeld()
    {
        var ticket = Ticket(1);
        Assert.Equal("HTTP/1.1 202 Accepted", (await SendAsync(TicketKey.Prove(ticket), Envelope(ticket))).Split("\r\n")[0]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("claims.AAAA")]
    public async Task WithoutAProofNothingIsRead(string proof) =>
        Assert.Contains("ticket-invalid", await SendAsync(proof, [], Envelope(Ticket(1)).Length), StringComparison.Ordinal);

    /// <summary>A ticket is no proof: whoever sends it so has shown it to whoever ends the TLS.</summary>
    [Fact]
    public async Task OfATicketItselfNothingIsRead() =>
        Assert.Contains("ticket-invalid", await SendAsync(Ticket(1), [], Envelope(Ticket(1)).Length), StringComparison.Ordinal);

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(100_000)]
    public async Task OfAnotherSizeThanTheBatchsNothingIsRead(int more) =>
        Assert.Contains("report-size", await SendAsync(TicketKey.Prove(Ticket(1)), [], Envelope(Ticket(1)).Length + more), StringComparison.Ordinal);

    [Fact]
    public async Task OfMoreThanTheOperatorAllowsNothingIsRead() =>
        Assert.Contains("too-large", await SendAsync(TicketKey.Prove(Ticket(1, reportBytes: 2 << 20)), [], 3 << 20), StringComparison.Ordinal);

    /// <summary>Who has seen a proof go by cannot use its ticket.</summary>
    [Fact]
    public async Task AProofOfAnotherTicketThanTheEnvelopesIsRefused()
    {
        var answer = await SendAsync(TicketKey.Prove(Ticket(1)), Envelope(Ticket(2)));
        Assert.Contains("403 Forbidden", answer, StringComparison.Ordinal);
        Assert.Contains("is not the one", answer, StringComparison.Ordinal);
    }

    private string Ticket(long assignment, int reportBytes = ReportBytes) =>
        tickets.Issue(new ShuffleTicket("run", "v1", 2, 4, 600, reportBytes, 0, 1, assignment, (int)assignment, 4_000_000_000));

    private byte[] Envelope(string ticket) => ReportEnvelope.Seal(new byte[ReportBytes - 4], ReportBytes, "run", "v1", "r", Encoding.ASCII.GetBytes(ticket), key, [key]);

    /// <summary>Sends the head and so much of the body, and reads what is answered.</summary>
    private async Task<string> SendAsync(string proof, byte[] body, int? announced = null)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, new Uri(server!.Addresses[0]).Port, patience.Token);
        var shown = proof.Length > 0 ? $"{TicketKey.ProofHeader}: {proof}\r\n" : "";
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"POST /v1/reports HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {ReportEnvelope.ContentType}\r\n{shown}Content-Length: {announced ?? body.Length}\r\n\r\n");
        await socket.SendAsync(Encoding.ASCII.GetBytes(head), patience.Token);
        await socket.SendAsync(body, patience.Token);
        var (answer, buffer) = ("", new byte[4096]);
        while (!answer.EndsWith('}'))
        {
            var got = await socket.ReceiveAsync(buffer, patience.Token);
            answer += got > 0 ? Encoding.UTF8.GetString(buffer, 0, got) : throw new IOException($"The shuffler has hung up after: {answer}");
        }

        return answer;
    }

    private sealed class Nobody : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new HttpRequestException("Nobody is there.");
    }
}

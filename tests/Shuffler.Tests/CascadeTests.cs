using System.Buffers.Binary;
using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using Federated.Protocol.Shuffling;
using Federated.Shuffler.Http;

namespace Federated.Shuffler.Tests;

/// <summary>What a second shuffler takes of the one before it.</summary>
public sealed class CascadeTests : IAsyncLifetime
{
    private readonly ECDsa first = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ShufflerKeys keys = ShufflerKeys.Generate();
    private readonly string folder = Directory.CreateTempSubdirectory("fed-cascade-").FullName;
    private ShufflerServer? server;
    private HttpClient? http;

    public async Task InitializeAsync()
    {
        var options = new ShufflerOptions
        {
            DataDirectory = folder, Name = "s2", Destination = new Uri("http://coordinator.test"), MinBatch = 2, Listen = [new ShufflerAddress("127.0.0.1", 0, null)],
            PreviousKey = Base64Url.EncodeToString(first.ExportSubjectPublicKeyInfo()), MaxBytesInFlight = 1 << 20,
        };
        server = await ShufflerServer.StartAsync(options, keys, new Nobody(), TimeProvider.System, default);
        http = new HttpClient { BaseAddress = new Uri(server.Addresses[0]) };
    }

    public async Task DisposeAsync()
    {
        http!.Dispose();
        await server!.DisposeAsync();
        keys.Dispose();
        first.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static BatchHeader Header(int reportBytes = 300, string id = "0a") => new("run", "v1", id, [1, 2], [3, 4], 2, reportBytes, new string('0', 64), Dropped: false);

    private async Task<(HttpStatusCode Status, string Text)> PostAsync(BatchHeader header)
    {
        var text = header.Encode();
        var body = new byte[4 + text.Length];
        BinaryPrimitives.WriteInt32LittleEndian(body, text.Length);
        text.CopyTo(body, 4);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/runs/run/batches/{Uri.EscapeDataString(header.Id)}") { Content = new ByteArrayContent(body) };
        request.Headers.Add(BatchHeader.SignatureHeader, Base64Url.EncodeToString(BatchHeader.Sign(text, first)));
        using var answer = await http!.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task ABatchThatIsMoreThanItHoldsIsRefusedBeforeItIsRead()
    {
        var (status, text) = await PostAsync(Header(reportBytes: 1 << 20));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        Assert.Contains("--in-flight", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReportsTooShortForTwoSealsAreNone()
    {
        var (status, text) = await PostAsync(Header(reportBytes: 100));
        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Contains("batch-invalid", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../../../../tmp/x")]
    [InlineData("ABC")]
    [InlineData("")]
    public async Task AnIdThatIsNoHexIsNone(string id)
    {
        Assert.Null(BatchHeader.TryDecode(Header(id: id).Encode()));
        if (id.Length > 0)
        {
            Assert.Equal(HttpStatusCode.Forbidden, (await PostAsync(Header(id: id))).Status);
        }
    }

    private sealed class Nobody : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new HttpRequestException("Nobody is there.");
    }
}

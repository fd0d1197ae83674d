using System.Text.Json;
using Federated.Coordinator.Tests.Hosting;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Tests.Http;

/// <summary>An update that was declared and whose bytes are still to come.</summary>
internal sealed record Declared(TestServer Server, TestClient Client, string Location, byte[] Bytes)
{
    public static Task<HttpResponseMessage> AskAsync(TestServer server, string run, TestClient client, long lease, BlobReference blob) => server.SendAsync(
        HttpMethod.Post, $"/v1/runs/{run}/assignments/{lease}/update", client.Token,
        JsonSerializer.Serialize(new UpdateDeclaration { Delta = blob, Examples = 3, LocalSteps = 1 }, WireJson.Default.UpdateDeclaration));

    public static async Task<Declared> NewAsync(TestServer server, string run, TestClient? client = null, double value = 1)
    {
        client ??= await TestClient.EnrolAsync(server);
        var lease = (await client.CheckInAsync(run)).Assignment!.Id;
        var (blob, bytes) = TestFactory.OneHot(new AssignmentId(lease), value);
        using var declared = await AskAsync(server, run, client, lease, blob);
        var location = JsonSerializer.Deserialize(await declared.Content.ReadAsStringAsync(), WireJson.Default.UpdateReply)!.Uploads[blob.Sha256];
        return new Declared(server, client, location, bytes);
    }

    public Task<HttpResponseMessage> SendAsync(HttpContent? content = null) => Server.SendAsync(HttpMethod.Patch, Location, Client.Token, change: request =>
    {
        request.Content = content ?? new ByteArrayContent(Bytes);
        request.Content.Headers.ContentType = new("application/octet-stream");
        request.Headers.Add("Upload-Offset", "0");
    });

    public async Task<long> OffsetAsync()
    {
        using var standing = await Server.SendAsync(HttpMethod.Head, Location, Client.Token);
        return long.Parse(standing.Headers.GetValues("Upload-Offset").Single(), System.Globalization.CultureInfo.InvariantCulture);
    }

    public async Task UntilArrivedAsync(int bytes)
    {
        while (await OffsetAsync() < bytes)
        {
            await Task.Yield();
        }
    }
}

using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Federated.Coordinator.Tests.Hosting;
using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Tests.Http;

/// <summary>A client by docs/protocol.md, bare, so that tests can break every rule of it.</summary>
internal sealed class TestClient(TestServer server, ECDsa key, string id)
{
    public string Id => id;

    public string Token { get; set; } = "";

    /// <summary>The same client at the coordinator that came after.</summary>
    public TestClient On(TestServer next) => new(next, key, id);

    public static string PublicKeyOf(ECDsa key) => Base64Url.EncodeToString(key.ExportSubjectPublicKeyInfo());

    public static async Task<TestClient> EnrolAsync(TestServer server, string name = "ward")
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var response = await EnrolAsync(server, key, server.Local.EnrolmentToken, name);
        var reply = JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), WireJson.Default.EnrolmentReply)!;
        var client = new TestClient(server, key, reply.Client);
        client.Token = await client.GetTokenAsync(client.Assertion());
        return client;
    }

    public static Task<HttpResponseMessage> EnrolAsync(TestServer server, ECDsa key, string token, string name) => server.SendAsync(
        HttpMethod.Post, "/v1/clients", json: JsonSerializer.Serialize(new EnrolmentRequest(token, PublicKeyOf(key), name), WireJson.Default.EnrolmentRequest));

    public string Assertion(double age = 0, string? audience = null, string alg = "ES256", double life = 300, string? subject = null)
    {
        var now = Math.Floor(server.Clock.GetUtcNow().ToUnixTimeSeconds() - age);
        var head = Encode(new { alg, typ = "JWT", kid = id });
        var claims = Encode(new
        {
            iss = id, sub = subject ?? id, aud = audience ?? server.Server.Identities.Coordinator, iat = now, exp = now + life, jti = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)),
        });
        var signature = key.SignData(Encoding.ASCII.GetBytes($"{head}.{claims}"), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return $"{head}.{claims}.{Base64Url.EncodeToString(signature)}";
    }

    public Task<HttpResponseMessage> ExchangeAsync(string assertion) =>
        server.SendAsync(HttpMethod.Post, "/v1/tokens", json: JsonSerializer.Serialize(new TokenRequest(assertion), WireJson.Default.TokenRequest));

    public async Task<string> GetTokenAsync(string assertion)
    {
        using var response = await ExchangeAsync(assertion);
        return JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), WireJson.Default.TokenReply)!.AccessToken;
    }

    public Task<HttpResponseMessage> CheckInRawAsync(string run, double wait = 0) => server.SendAsync(
        HttpMethod.Post, $"/v1/runs/{run}/check-ins", Token, JsonSerializer.Serialize(new CheckInRequest(10, wait), WireJson.Default.CheckInRequest));

    public async Task<CheckInReply> CheckInAsync(string run, double wait = 20)
    {
        using var response = await CheckInRawAsync(run, wait);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), WireJson.Default.CheckInReply)!;
    }

    /// <summary>A one-hot update of an assignment, as an envelope.</summary>
    public static byte[] Envelope(long assignment, double value = 1, bool ready = false)
    {
        var (reference, bytes) = TestFactory.OneHot(new AssignmentId(assignment), value);
        return UpdateEnvelope.Encode(new UpdateDeclaration { Delta = reference, Examples = 10, LocalSteps = 5, Ready = ready }, bytes);
    }

    public Task<HttpResponseMessage> SendRawAsync(string run, long assignment, byte[] envelope) =>
        server.SendAsync(HttpMethod.Post, $"/v1/runs/{run}/assignments/{assignment}/update", Token, bytes: envelope, contentType: UpdateEnvelope.ContentType);

    public async Task<UpdateOutcomeMessage> SendAsync(string run, long assignment, byte[] envelope)
    {
        using var response = await SendRawAsync(run, assignment, envelope);
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, body);
        return JsonSerializer.Deserialize(body, WireJson.Default.UpdateOutcomeMessage)!;
    }

    /// <summary>The run still gives work and takes an update.</summary>
    public async Task AssertUnharmedAsync(string run)
    {
        var lease = (await CheckInAsync(run)).Assignment;
        Assert.NotNull(lease);
        Assert.True((await SendAsync(run, lease.Id, Envelope(lease.Id))).Accepted);
    }

    private static string Encode<T>(T value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
}

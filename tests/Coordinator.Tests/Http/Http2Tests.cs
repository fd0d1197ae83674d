using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Federated.Coordinator.Http;
using Federated.Coordinator.Tests.Hosting;
using Federated.Protocol;
using Federated.Protocol.Wire;
using static Federated.Coordinator.Tests.Http.TestServer;

namespace Federated.Coordinator.Tests.Http;

/// <summary>Every route over HTTP/2, in the clear and over TLS: what browsers, curl and proxies speak.</summary>
public sealed class Http2Tests
{
    public static TheoryData<string> Ways => new("h2c://127.0.0.1:0", "https://127.0.0.1:0");

    private static Task<TestServer> StartAsync(string listen, Func<CoordinatorOptions, CoordinatorOptions>? change = null) =>
        TestServer.StartAsync(change: change, listen: [listen], version: HttpVersion.Version20);

    [Theory, MemberData(nameof(Ways))]
    public async Task Every_route_answers(string listen)
    {
        await using var server = await StartAsync(listen);
        var walk = new Walk(server);
        var run = await server.CreateRunAsync();
        walk.Note(HttpMethod.Post, "/v1/runs");
        var client = await TestClient.EnrolAsync(server);
        walk.Note(HttpMethod.Post, "/v1/clients");
        walk.Note(HttpMethod.Post, "/v1/tokens");
        var (owner, member) = (server.Local.OperatorToken, client.Token);

        // An assignment, its model whole and in part, whether it is wanted, and its update in one request.
        var lease = (await client.CheckInAsync(run)).Assignment!;
        walk.Note(HttpMethod.Post, "/v1/runs/{run}/check-ins");
        var whole = await walk.GoAsync(HttpMethod.Get, "/v1/blobs/{sha256}", member, 200, null, lease.Model.Sha256);
        var part = await walk.GoAsync(HttpMethod.Get, "/v1/blobs/{sha256}", member, 206, r => r.Headers.Range = new RangeHeaderValue(10, 29), lease.Model.Sha256);
        Assert.Equal(whole[10..30], part);
        await walk.GoAsync(HttpMethod.Get, "/v1/blobs/{sha256}", member, 304, r => r.Headers.IfNoneMatch.Add(new EntityTagHeaderValue($"\"{lease.Model.Sha256}\"")), lease.Model.Sha256);
        await walk.GoAsync(HttpMethod.Head, "/v1/blobs/{sha256}", member, 200, null, lease.Model.Sha256);
        await walk.GoAsync(HttpMethod.Get, "/v1/runs/{run}/assignments/{assignment}", member, 200, null, run, $"{lease.Id}?waitSeconds=0");
        Assert.True((await client.SendAsync(run, lease.Id, TestClient.Envelope(lease.Id))).Accepted);

        // Another update by declaration and pieces.
        lease = (await client.CheckInAsync(run)).Assignment!;
        var (blob, bytes) = TestFactory.OneHot(new AssignmentId(lease.Id));
        var declaration = JsonSerializer.Serialize(new UpdateDeclaration { Delta = blob, Examples = 10, LocalSteps = 5 }, WireJson.Default.UpdateDeclaration);
        var declared = await walk.GoAsync(HttpMethod.Post, "/v1/runs/{run}/assignments/{assignment}/update", member, 200, null, declaration, run, $"{lease.Id}");
        var upload = JsonSerializer.Deserialize(declared, WireJson.Default.UpdateReply)!.Uploads[blob.Sha256].Split('/')[^1];
        await walk.AppendAsync(member, upload, 0, bytes[..100], 204);
        await walk.AppendAsync(member, upload, 50, bytes[50..], 409);
        await walk.GoAsync(HttpMethod.Head, "/v1/uploads/{upload}", member, 200, null, upload);
        await walk.AppendAsync(member, upload, 100, bytes[100..], 204);
        declared = await walk.GoAsync(HttpMethod.Post, "/v1/runs/{run}/assignments/{assignment}/update", member, 200, null, declaration, run, $"{lease.Id}");
        Assert.True(JsonSerializer.Deserialize(declared, WireJson.Default.UpdateReply)!.Outcome!.Accepted);

        // One given up; an evaluation that nobody waits for is passed over.
        lease = (await client.CheckInAsync(run)).Assignment!;
        await walk.GoAsync(HttpMethod.Post, "/v1/runs/{run}/assignments/{assignment}:fail", member, 204, null, """{"reason":"low"}""", run, $"{lease.Id}");
        await walk.GoAsync(HttpMethod.Post, "/v1/runs/{run}/evaluations/{version}", member, 204, null, """{"examples":3,"accuracy":0.5,"loss":1}""", run, "1");

        // What viewers and operators ask.
        foreach (var path in (string[])["/healthz", "/readyz", "/metrics", "/v1", "/v1/clients", "/v1/credentials", "/v1/runs"])
        {
            await walk.GoAsync(HttpMethod.Get, path, owner, 200, null);
        }

        foreach (var path in (string[])["/v1/runs/{run}", "/v1/runs/{run}/configuration", "/v1/runs/{run}/card", "/v1/runs/{run}/privacy"])
        {
            await walk.GoAsync(HttpMethod.Get, path, owner, 200, null, run);
        }

        await walk.GoAsync(HttpMethod.Get, "/v1/runs/{run}/models/{version}", owner, 200, null, run, "latest");
        await walk.GoAsync(HttpMethod.Head, "/v1/runs/{run}/models/{version}", owner, 200, null, run, "1");
        await walk.GoAsync(HttpMethod.Post, "/v1/runs/{run}:pause", owner, 200, null, """{"reason":"night"}""", run);
        await walk.GoAsync(HttpMethod.Post, "/v1/runs/{run}:resume", owner, 200, null, """{"reason":"day"}""", run);
        await walk.GoAsync(HttpMethod.Post, "/v1/runs/{run}:branch", owner, 201, null, """{"version":"1","run":"twig"}""", run);
        await walk.GoAsync(HttpMethod.Post, "/v1/runs/{run}:stop", owner, 200, null, """{"reason":"enough"}""", "twig");
        await walk.GoAsync(HttpMethod.Delete, "/v1/runs/{run}", owner, 204, null, "twig");
        await walk.GoAsync(HttpMethod.Post, "/v1/enrolment-tokens", owner, 201, null, """{"name":"ward"}""");
        var made = await walk.GoAsync(HttpMethod.Post, "/v1/access-tokens", owner, 201, null, """{"role":"viewer","name":"wall"}""");
        await walk.GoAsync(HttpMethod.Post, "/v1/credentials/{id}:revoke", owner, 204, null, """{"reason":"over"}""", JsonSerializer.Deserialize(made, WireJson.Default.NewTokenMessage)!.Id);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await walk.GoAsync(HttpMethod.Post, "/v1/clients/{client}:rotate", member, 204, null, JsonSerializer.Serialize(new RotateKeyRequest(TestClient.PublicKeyOf(key)), WireJson.Default.RotateKeyRequest), client.Id);
        await walk.GoAsync(HttpMethod.Post, "/v1/clients/{id}:revoke", owner, 204, null, """{"reason":"left"}""", client.Id);
        await walk.TheRestAsync(owner, run);
    }

    [Theory, MemberData(nameof(Ways))]
    public async Task A_long_poll_comes_back_with_work_and_one_that_is_given_up_checks_out(string listen)
    {
        await using var server = await StartAsync(listen);
        var run = await server.CreateRunAsync("buffered 1 1");
        var (a, b) = (await TestClient.EnrolAsync(server, "a"), await TestClient.EnrolAsync(server, "b"));
        var lease = (await a.CheckInAsync(run)).Assignment!;
        using (var hangUp = new CancellationTokenSource())
        {
            var abandoned = server.SendAsync(HttpMethod.Post, $"/v1/runs/{run}/check-ins", b.Token, """{"examples":1,"waitSeconds":60}""", cancellation: hangUp.Token);
            await server.UntilPollsAsync(1);
            await hangUp.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => abandoned);
            await server.UntilPollsAsync(0); // The stream's end reached it; the connection goes on.
        }

        var waiting = b.CheckInAsync(run, 60);
        await server.UntilPollsAsync(1);
        Assert.True((await a.SendAsync(run, lease.Id, TestClient.Envelope(lease.Id))).Accepted);
        Assert.NotNull((await waiting).Assignment);
    }

    [Theory, MemberData(nameof(Ways))]
    public async Task Limits_hold_and_problems_are_told(string listen)
    {
        await using var server = await StartAsync(listen, o => o with { ClientRate = 1, ClientBurst = 8 });
        var run = await server.CreateRunAsync();
        var client = await TestClient.EnrolAsync(server);
        var lease = (await client.CheckInAsync(run)).Assignment!;
        await RefusedAsync(Problems.TooLarge, client.SendRawAsync(run, lease.Id, new byte[1 << 20]));
        await RefusedAsync(Problems.LengthRequired, server.SendAsync(HttpMethod.Post, $"/v1/runs/{run}/check-ins", client.Token, change: r => r.Content = new Unsized()));
        await RefusedAsync(Problems.Malformed, server.SendAsync(HttpMethod.Post, $"/v1/runs/{run}/check-ins", client.Token, "{"));
        await RefusedAsync(Problems.RunUnknown, client.CheckInRawAsync("nowhere"));
        await RefusedAsync(Problems.CredentialMissing, server.SendAsync(HttpMethod.Get, $"/v1/runs/{run}"));
        HttpResponseMessage answer;
        do
        {
            answer = await client.CheckInRawAsync(run);
        }
        while (answer.StatusCode == HttpStatusCode.OK);
        using (answer)
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
            Assert.True(answer.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        }
    }

    /// <summary>Requests by template, so that what was not asked can be told from the server's own description.</summary>
    private sealed class Walk(TestServer server)
    {
        private readonly HashSet<string> walked = new(StringComparer.Ordinal);

        public void Note(HttpMethod method, string template) => walked.Add(Key(method.Method, template));

        public Task<byte[]> GoAsync(HttpMethod method, string template, string token, int status, Action<HttpRequestMessage>? change, params string[] arguments)
        {
            var holes = template.Count(c => c == '{');
            var json = arguments.Length > holes ? arguments[0] : null;
            var path = template;
            foreach (var argument in arguments[(arguments.Length - holes)..])
            {
                var at = path.IndexOf('{', StringComparison.Ordinal);
                path = string.Concat(path.AsSpan(0, at), argument, path.AsSpan(path.IndexOf('}', StringComparison.Ordinal) + 1));
            }

            Note(method, template);
            return TakeAsync(status, server.SendAsync(method, path, token, json, change: change));
        }

        public Task<byte[]> AppendAsync(string token, string upload, long offset, byte[] bytes, int status)
        {
            Note(HttpMethod.Patch, "/v1/uploads/{upload}");
            return TakeAsync(status, server.SendAsync(
                HttpMethod.Patch, $"/v1/uploads/{upload}", token, bytes: bytes, contentType: "application/octet-stream", change: r => r.Headers.Add("Upload-Offset", $"{offset}")));
        }

        /// <summary>What needs runs of another kind is asked with nothing in it: it is answered in good order.</summary>
        public async Task TheRestAsync(string token, string run)
        {
            using var description = JsonDocument.Parse(await GoAsync(HttpMethod.Get, "/openapi/v1.json", "", 200, null));
            var all = description.RootElement.GetProperty("paths").EnumerateObject()
                .SelectMany(path => path.Value.EnumerateObject().Where(m => m.Name is "get" or "post" or "head" or "patch" or "delete" or "put").Select(m => (Method: m.Name, Path: path.Name))).ToList();
            Assert.True(all.Count > 30, $"Only {all.Count} routes are described.");
            foreach (var (method, template) in all.Where(r => !walked.Contains(Key(r.Method, r.Path))))
            {
                var path = System.Text.RegularExpressions.Regex.Replace(template.Replace("{run}", run, StringComparison.Ordinal), "\\{[^}]*\\}", "1");
                using var response = await server.SendAsync(HttpMethod.Parse(method), path, token, method is "post" or "patch" ? "{}" : null);
                Assert.True((int)response.StatusCode < 500 && response.Version == HttpVersion.Version20, $"{method} {path}: {(int)response.StatusCode} over HTTP/{response.Version}");
            }
        }

        private static async Task<byte[]> TakeAsync(int status, Task<HttpResponseMessage> sending)
        {
            using var response = await sending;
            var body = await response.Content.ReadAsByteArrayAsync();
            Assert.Equal((status, HttpVersion.Version20), ((int)response.StatusCode, response.Version));
            return body;
        }

        private static string Key(string method, string template) => $"{method.ToLowerInvariant()} {System.Text.RegularExpressions.Regex.Replace(template, "\\{[^}]*\\}", "{}")}";
    }

    /// <summary>A body that does not say how long it is.</summary>
    private sealed class Unsized : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync("{}"u8.ToArray()).AsTask();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}

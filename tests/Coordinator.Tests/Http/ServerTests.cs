using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Federated.Coordinator.Http;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Tests.Hosting;
using Federated.Coordinator.Tests.Storage;
using Federated.Protocol;
using Federated.Protocol.Wire;
using static Federated.Coordinator.Tests.Http.TestServer;

namespace Federated.Coordinator.Tests.Http;

public sealed class ServerTests
{
    private static HttpMethod Patch => HttpMethod.Patch;

    [Fact]
    public async Task A_model_comes_whole_in_ranges_and_not_again_when_it_is_known()
    {
        await using var server = await StartAsync();
        var run = await server.CreateRunAsync();
        var path = $"/v1/runs/{run}/models/latest";
        using var whole = await server.SendAsync(HttpMethod.Get, path, server.Local.OperatorToken);
        var bytes = await whole.Content.ReadAsByteArrayAsync();
        var tag = whole.Headers.ETag!;

        using var middle = await server.SendAsync(HttpMethod.Get, path, server.Local.OperatorToken, change: r => r.Headers.Range = new(10, 19));
        using var tail = await server.SendAsync(HttpMethod.Get, path, server.Local.OperatorToken, change: r => r.Headers.Range = new(null, 5));
        using var known = await server.SendAsync(HttpMethod.Get, path, server.Local.OperatorToken, change: r => r.Headers.IfNoneMatch.Add(tag));
        using var beyond = await server.SendAsync(HttpMethod.Get, path, server.Local.OperatorToken, change: r => r.Headers.Range = new(bytes.Length, null));

        using var same = await server.SendAsync(HttpMethod.Get, path, server.Local.OperatorToken, change: r => (r.Headers.Range, r.Headers.IfRange) = (new(10, 19), new(tag)));
        using var other = await server.SendAsync(HttpMethod.Get, path, server.Local.OperatorToken, change: r => (r.Headers.Range, r.Headers.IfRange) = (new(10, 19), new("\"another\"")));

        Assert.Equal(bytes[10..20], await same.Content.ReadAsByteArrayAsync());
        Assert.Equal((HttpStatusCode.OK, bytes.Length), (other.StatusCode, (await other.Content.ReadAsByteArrayAsync()).Length)); // Other bytes than those it had begun with.
        Assert.Equal($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes))}\"", tag.Tag);
        Assert.Equal(HttpStatusCode.PartialContent, middle.StatusCode);
        Assert.Equal(bytes[10..20], await middle.Content.ReadAsByteArrayAsync());
        Assert.Equal(bytes[^5..], await tail.Content.ReadAsByteArrayAsync());
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, beyond.StatusCode);
    }

    [Fact]
    public async Task An_upload_goes_on_where_it_stood_after_the_coordinator_was_started_again()
    {
        string folder, run, location;
        long lease;
        var declaration = "";
        byte[] bytes;
        ECDsa key;
        await using (var server = await StartAsync())
        {
            folder = server.HandOver();
            run = await server.CreateRunAsync();
            key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var enrolled = await TestClient.EnrolAsync(server, key, server.Local.EnrolmentToken, "ward");
            var id = JsonSerializer.Deserialize(await enrolled.Content.ReadAsStringAsync(), WireJson.Default.EnrolmentReply)!.Client;
            var client = new TestClient(server, key, id);
            client.Token = await client.GetTokenAsync(client.Assertion());
            lease = (await client.CheckInAsync(run)).Assignment!.Id;
            (var blob, bytes) = TestFactory.OneHot(new AssignmentId(lease));
            declaration = JsonSerializer.Serialize(new UpdateDeclaration { Delta = blob, Examples = 3, LocalSteps = 1 }, WireJson.Default.UpdateDeclaration);
            using var declared = await server.SendAsync(HttpMethod.Post, $"/v1/runs/{run}/assignments/{lease}/update", client.Token, declaration);
            location = JsonSerializer.Deserialize(await declared.Content.ReadAsStringAsync(), WireJson.Default.UpdateReply)!.Uploads[blob.Sha256];
            using var half = await server.SendAsync(
                Patch, location, client.Token, bytes: bytes[..300], contentType: "application/octet-stream", change: r => r.Headers.Add("Upload-Offset", "0"));
            Assert.Equal(HttpStatusCode.NoContent, half.StatusCode);
        }

        await using var again = await StartAsync(folder);
        var member = (await again.Server.Identities.ClientsAsync()).Single().Client;
        var back = new TestClient(again, key, member);
        back.Token = await back.GetTokenAsync(back.Assertion());
        using var standing = await again.SendAsync(HttpMethod.Head, location, back.Token);
        Assert.Equal("300", standing.Headers.GetValues("Upload-Offset").Single());
        await RefusedAsync(Problems.UploadOffset, again.SendAsync(
            Patch, location, back.Token, bytes: bytes[200..], contentType: "application/octet-stream", change: r => r.Headers.Add("Upload-Offset", "200")));
        var stranger = await TestClient.EnrolAsync(again, "stranger");
        await RefusedAsync(Problems.UploadUnknown, again.SendAsync(
            Patch, location, stranger.Token, bytes: bytes[300..], contentType: "application/octet-stream", change: r => r.Headers.Add("Upload-Offset", "300")));
        using var rest = await again.SendAsync(
            Patch, location, back.Token, bytes: bytes[300..], contentType: "application/octet-stream", change: r => r.Headers.Add("Upload-Offset", "300"));
        Assert.Equal(HttpStatusCode.NoContent, rest.StatusCode);
        using var taken = await again.SendAsync(HttpMethod.Post, $"/v1/runs/{run}/assignments/{lease}/update", back.Token, declaration);
        Assert.True(JsonSerializer.Deserialize(await taken.Content.ReadAsStringAsync(), WireJson.Default.UpdateReply)!.Outcome!.Accepted);
        key.Dispose();
    }

    [Fact]
    public async Task An_upload_with_other_bytes_than_declared_begins_anew()
    {
        await using var server = await StartAsync();
        var run = await server.CreateRunAsync();
        var client = await TestClient.EnrolAsync(server);
        var lease = (await client.CheckInAsync(run)).Assignment!;
        var (blob, bytes) = TestFactory.OneHot(new AssignmentId(lease.Id));
        var declaration = JsonSerializer.Serialize(new UpdateDeclaration { Delta = blob, Examples = 3, LocalSteps = 1 }, WireJson.Default.UpdateDeclaration);
        using var declared = await server.SendAsync(HttpMethod.Post, $"/v1/runs/{run}/assignments/{lease.Id}/update", client.Token, declaration);
        var location = JsonSerializer.Deserialize(await declared.Content.ReadAsStringAsync(), WireJson.Default.UpdateReply)!.Uploads[blob.Sha256];

        await RefusedAsync(Problems.Digest, server.SendAsync(
            Patch, location, client.Token, bytes: new byte[bytes.Length], contentType: "application/octet-stream", change: r => r.Headers.Add("Upload-Offset", "0")));
        using var standing = await server.SendAsync(HttpMethod.Head, location, client.Token);
        Assert.Equal("0", standing.Headers.GetValues("Upload-Offset").Single());
        using var good = await server.SendAsync(
            Patch, location, client.Token, bytes: bytes, contentType: "application/octet-stream", change: r => r.Headers.Add("Upload-Offset", "0"));
        Assert.Equal(HttpStatusCode.NoContent, good.StatusCode);
    }

    [Fact]
    public async Task A_long_poll_ends_when_there_is_work_and_a_stopping_coordinator_lets_it_go()
    {
        await using var server = await StartAsync();
        var run = await server.CreateRunAsync("synchronous 2");
        var (one, two) = (await TestClient.EnrolAsync(server), await TestClient.EnrolAsync(server));
        var waiting = one.CheckInAsync(run, wait: 60);
        Assert.NotNull((await two.CheckInAsync(run, wait: 60)).Assignment);
        Assert.NotNull((await waiting).Assignment);
        var third = await TestClient.EnrolAsync(server);
        var polling = third.CheckInRawAsync(run, wait: 200);
        await server.UntilPollsAsync(1);

        await server.Server.StopAsync();

        using var answer = await polling;
        Assert.True(answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.OK, $"{answer.StatusCode}");
    }

    [Fact]
    public async Task Three_clients_make_the_version_that_their_updates_add_up_to_and_metrics_say_so()
    {
        await using var server = await StartAsync();
        var run = await server.CreateRunAsync("buffered 10 3");
        for (var i = 0; i < 3; i++)
        {
            await (await TestClient.EnrolAsync(server)).AssertUnharmedAsync(run);
        }

        using var shown = await server.SendAsync(HttpMethod.Get, $"/v1/runs/{run}", server.Local.OperatorToken);
        var detail = JsonSerializer.Deserialize(await shown.Content.ReadAsStringAsync(), WireJson.Default.RunDetailMessage)!;
        var metrics = await server.Http.GetStringAsync("/metrics");

        Assert.Equal((1, 3L), (detail.Summary.Version, detail.Summary.Accepted));
        Assert.Contains($"federated_run_accepted_total{{run=\"{run}\"}} 3\n", metrics, StringComparison.Ordinal);
        Assert.Contains("federated_updates_total{outcome=\"accepted\"} 3\n", metrics, StringComparison.Ordinal);
        Assert.Contains("federated_update_duration_seconds_count 3\n", metrics, StringComparison.Ordinal);
        using var card = await server.SendAsync(HttpMethod.Get, $"/v1/runs/{run}/card", server.Local.OperatorToken);
        Assert.Contains(detail.Versions[^1].Model.Sha256, await card.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var ready = await server.Http.GetAsync("/readyz");
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
    }

    [Fact]
    public async Task Two_coordinators_in_one_process_each_tell_of_their_own_and_every_reader_hears_all_of_it()
    {
        await using var busy = await StartAsync();
        await using var idle = await StartAsync();
        var run = await busy.CreateRunAsync("buffered 10 3");
        Assert.Equal(run, await idle.CreateRunAsync("buffered 10 3"));
        await (await TestClient.EnrolAsync(busy)).AssertUnharmedAsync(run);

        var readings = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => busy.Http.GetStringAsync("/metrics")));
        var other = await idle.Http.GetStringAsync("/metrics");

        Assert.All(readings, r => Assert.Contains($"federated_run_accepted_total{{run=\"{run}\"}} 1\n", r, StringComparison.Ordinal));
        Assert.Contains($"federated_run_accepted_total{{run=\"{run}\"}} 0\n", other, StringComparison.Ordinal);
        Assert.DoesNotContain("federated_updates_total", other, StringComparison.Ordinal);
        Assert.Contains("kestrel_active_connections", readings[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_openapi_document_names_every_address_of_the_protocol()
    {
        await using var server = await StartAsync();
        using var document = JsonDocument.Parse(await server.Http.GetStringAsync("/openapi/v1.json"));

        var paths = document.RootElement.GetProperty("paths").EnumerateObject().Select(p => p.Name).ToHashSet();

        Assert.Superset(
            new HashSet<string>
            {
                "/v1/runs", "/v1/runs/{run}", "/v1/runs/{run}:pause", "/v1/clients", "/v1/tokens", "/v1/runs/{run}/check-ins", "/v1/blobs/{sha256}",
                "/v1/runs/{run}/assignments/{assignment}", "/v1/runs/{run}/assignments/{assignment}/update", "/v1/runs/{run}/assignments/{assignment}:fail",
                "/v1/uploads/{upload}", "/v1/runs/{run}/evaluations/{version}", "/v1/runs/{run}/models/{version}",
            },
            paths);
        Assert.Equal(
            "#/components/schemas/CheckInRequest",
            document.RootElement.GetProperty("paths").GetProperty("/v1/runs/{run}/check-ins").GetProperty("post").GetProperty("requestBody").GetProperty("content")
                .GetProperty("application/json").GetProperty("schema").GetProperty("$ref").GetString());
    }

    [Fact]
    public void Every_problem_has_its_section_in_the_documentation()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Federated.sln")))
        {
            folder = folder.Parent;
        }

        var text = File.ReadAllText(Path.Combine(folder!.FullName, "docs", "problems.md"));

        Assert.Empty(Problems.All.Where(p => !text.Contains($"\n## {p.Name}\n\n{p.Status}. ", StringComparison.Ordinal)).Select(p => p.Name));
    }

    [Fact]
    public async Task An_update_that_came_in_one_request_counts_without_being_read_from_the_store()
    {
        WatchedStore? store = null;
        await using var server = await StartAsync(
            change: o => o with { Host = o.Host with { Durability = o.Host.Durability with { InlineBytes = 0 } } }, watch: inner => store = new WatchedStore(inner, isRemote: true));
        var run = await server.CreateRunAsync("buffered 4 1");
        var client = await TestClient.EnrolAsync(server);
        var lease = (await client.CheckInAsync(run)).Assignment!;
        Assert.True((await client.SendAsync(run, lease.Id, TestClient.Envelope(lease.Id))).Accepted);
        var (blob, _) = TestFactory.OneHot(new AssignmentId(lease.Id));
        Assert.True(await store!.ContainsAsync(blob, default));
        Assert.Equal(0, store.Reads(blob));
    }

    public sealed class OverTls
    {
        [Fact]
        public async Task A_client_shows_who_it_is_by_a_certificate_of_the_private_authority()
        {
            var folder = Directory.CreateTempSubdirectory("fed-serve-").FullName;
            var authority = PrivateAuthority.OpenOrCreate(Path.Combine(folder, "pki"), TimeProvider.System);
            var (certificate, key) = authority.IssueClient("ward-7", TimeSpan.FromDays(1), folder);
            var stranger = PrivateAuthority.OpenOrCreate(Path.Combine(folder, "other"), TimeProvider.System).IssueClient("ward-7", TimeSpan.FromDays(1), Path.Combine(folder, "other"));
            await using var server = await StartAsync(folder, listen: ["https://127.0.0.1:0"]);
            var run = (await server.Server.Runs.CreateAsync("tls", TestFactory.Buffered(10, 2), default)).Entry.Id;

            using var good = Connect(server, folder, certificate, key);
            using var reply = await CheckInAsync(good, run);
            Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
            Assert.Equal("ward-7", server.Server.Runs.Runs.First(r => r.Entry.Id == run).NameOf(new ClientId(0)));

            using var bad = Connect(server, folder, stranger.Certificate, stranger.Key);
            await Assert.ThrowsAsync<HttpRequestException>(() => CheckInAsync(bad, run));

            await server.Server.Identities.RevokeAsync("ward-7", "lost");
            await RefusedAsync(Problems.TokenRevoked, CheckInAsync(good, run));
        }

        private static HttpClient Connect(TestServer server, string folder, string certificate, string key)
        {
            using var pem = X509Certificate2.CreateFromPemFile(certificate, key);
            var handler = new SocketsHttpHandler
            {
                SslOptions = new SslClientAuthenticationOptions
                {
                    ClientCertificates = [X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null)],
                    CertificateChainPolicy = new X509ChainPolicy
                    {
                        TrustMode = X509ChainTrustMode.CustomRootTrust,
                        RevocationMode = X509RevocationMode.NoCheck,
                        CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, "pki", "ca.crt")) },
                    },
                },
            };
            return new HttpClient(handler) { BaseAddress = server.Http.BaseAddress };
        }

        private static Task<HttpResponseMessage> CheckInAsync(HttpClient http, string run)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/runs/{run}/check-ins") { Content = new StringContent("""{"examples":1,"waitSeconds":0}""") };
            request.Headers.Add("Federated-Protocol", "1");
            return http.SendAsync(request);
        }
    }

    public sealed class Listening
    {
        /// <summary>What browsers and curl speak over TLS.</summary>
        [Fact]
        public async Task Over_HTTP_2_it_answers_as_over_HTTP_1()
        {
            await using var server = await TestServer.StartAsync(listen: ["http://127.0.0.1:0", "h2c://127.0.0.1:0"]);
            var run = await server.CreateRunAsync();
            var port = new Uri(server.Server.Addresses[1]).Port;
            foreach (var (path, json) in ((string, string?)[])[("/readyz", null), ($"/v1/runs/{run}", null), ("/v1/enrolment-tokens", "{}")])
            {
                using var first = await server.SendAsync(json is null ? HttpMethod.Get : HttpMethod.Post, path, server.Local.OperatorToken, json);
                using var second = await server.SendAsync(
                    json is null ? HttpMethod.Get : HttpMethod.Post, path, server.Local.OperatorToken, json, change: request =>
                    {
                        request.RequestUri = new Uri($"http://127.0.0.1:{port}{path}");
                        request.Version = System.Net.HttpVersion.Version20;
                        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
                    });
                Assert.Equal(System.Net.HttpVersion.Version20, second.Version);
                Assert.Equal((path, first.StatusCode), (path, second.StatusCode));
                Assert.True((int)second.StatusCode < 500, path);
            }
        }

        [Theory]
        [InlineData("http://0.0.0.0:80")]
        [InlineData("http://10.0.0.1")]
        [InlineData("h2c://[::]:80")]
        public void Beyond_this_machine_it_is_TLS_or_nothing(string address) =>
            Assert.Contains("without TLS", Assert.Throws<CoordinatorException>(() => ListenAddress.Parse(address)).Message, StringComparison.Ordinal);

        [Theory]
        [InlineData("ftp://127.0.0.1")]
        [InlineData("http://example.org:80")]
        [InlineData("http://127.0.0.1:99999")]
        [InlineData("http://127.0.0.1:x")]
        public void What_is_no_address_is_refused(string address) => Assert.Throws<CoordinatorException>(() => ListenAddress.Parse(address));

        [Fact]
        public void Without_a_scheme_it_is_TLS_beyond_this_machine()
        {
            Assert.Equal(new ListenAddress("*", 8443, true, false), ListenAddress.Parse("0.0.0.0"));
            Assert.Equal(new ListenAddress("127.0.0.1", 7431, false, false), ListenAddress.Parse("127.0.0.1"));
            Assert.Equal(new ListenAddress("::1", 9, false, true), ListenAddress.Parse("h2c://[::1]:9"));
        }
    }
}

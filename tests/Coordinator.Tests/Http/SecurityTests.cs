using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Federated.Coordinator.Http;
using Federated.Protocol;
using Federated.Protocol.Wire;
using static Federated.Coordinator.Tests.Http.TestServer;

namespace Federated.Coordinator.Tests.Http;

/// <summary>Whoever breaks a rule is refused with the right status, and the run goes on unharmed.</summary>
public sealed class SecurityTests
{
    public sealed class Credentials
    {
        [Fact]
        public async Task Without_a_token_nothing_of_a_run_is_shown_or_taken()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();

            await RefusedAsync(Problems.CredentialMissing, server.SendAsync(HttpMethod.Get, "/v1/runs"));
            await RefusedAsync(Problems.CredentialMissing, server.SendAsync(HttpMethod.Post, $"/v1/runs/{run}/check-ins", json: """{"examples":1,"waitSeconds":0}"""));
            await RefusedAsync(Problems.CredentialMissing, server.SendAsync(HttpMethod.Delete, $"/v1/runs/{run}"));
            await RefusedAsync(Problems.CredentialInvalid, server.SendAsync(HttpMethod.Get, "/v1/runs", token: "made-up"));
            await (await TestClient.EnrolAsync(server)).AssertUnharmedAsync(run);
        }

        [Fact]
        public async Task A_token_whose_time_is_over_is_refused_as_expired()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();
            var client = await TestClient.EnrolAsync(server);

            server.Clock.Ahead = TimeSpan.FromSeconds(601);

            await RefusedAsync(Problems.TokenExpired, client.CheckInRawAsync(run));
            client.Token = await client.GetTokenAsync(client.Assertion());
            await client.AssertUnharmedAsync(run);
        }

        [Fact]
        public async Task A_token_that_was_changed_by_one_character_is_no_token()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();
            var client = await TestClient.EnrolAsync(server);
            var good = client.Token;
            for (var i = 0; i < good.Length - 1; i += 7)
            {
                client.Token = good[..i] + (good[i] == 'A' ? 'B' : 'A') + good[(i + 1)..];
                await RefusedAsync(Problems.CredentialInvalid, client.CheckInRawAsync(run));
            }

            client.Token = good;
            await client.AssertUnharmedAsync(run);
        }

        [Fact]
        public async Task A_revoked_client_is_shut_out_at_once_and_stays_out()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();
            var (bad, good) = (await TestClient.EnrolAsync(server), await TestClient.EnrolAsync(server));
            await bad.CheckInAsync(run);

            using (var revoked = await server.SendAsync(HttpMethod.Post, $"/v1/clients/{bad.Id}:revoke", server.Local.OperatorToken, """{"reason":"lost laptop"}"""))
            {
                Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
            }

            await RefusedAsync(Problems.TokenRevoked, bad.CheckInRawAsync(run));
            await RefusedAsync(Problems.TokenRevoked, bad.ExchangeAsync(bad.Assertion()));
            await good.AssertUnharmedAsync(run);
        }

        [Fact]
        public async Task An_assertion_is_taken_once_also_across_a_restart()
        {
            string folder, assertion;
            await using (var server = await StartAsync())
            {
                folder = server.Folder;
                var client = await TestClient.EnrolAsync(server);
                assertion = client.Assertion();
                await client.GetTokenAsync(assertion);
                await RefusedAsync(Problems.AssertionReplayed, client.ExchangeAsync(assertion));
            }

            await using var again = await StartAsync(folder);
            await RefusedAsync(
                Problems.AssertionReplayed, again.SendAsync(HttpMethod.Post, "/v1/tokens", json: JsonSerializer.Serialize(new TokenRequest(assertion), WireJson.Default.TokenRequest)));
        }

        [Fact]
        public async Task An_assertion_must_be_signed_by_the_client_for_this_coordinator_and_now()
        {
            await using var server = await StartAsync();
            var (client, other) = (await TestClient.EnrolAsync(server), await TestClient.EnrolAsync(server));

            await RefusedAsync(Problems.AssertionInvalid, client.ExchangeAsync(client.Assertion(audience: "another")));
            await RefusedAsync(Problems.AssertionInvalid, client.ExchangeAsync(client.Assertion(alg: "none")));
            await RefusedAsync(Problems.AssertionInvalid, client.ExchangeAsync(client.Assertion(alg: "HS256")));
            await RefusedAsync(Problems.AssertionInvalid, client.ExchangeAsync(client.Assertion(life: 301)));
            await RefusedAsync(Problems.AssertionInvalid, client.ExchangeAsync(client.Assertion(subject: other.Id)));
            await RefusedAsync(Problems.AssertionExpired, client.ExchangeAsync(client.Assertion(age: 400)));
            await RefusedAsync(Problems.AssertionExpired, client.ExchangeAsync(client.Assertion(age: -120)));
            using var forger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            await RefusedAsync(Problems.AssertionInvalid, client.ExchangeAsync(new TestClient(server, forger, client.Id).Assertion()));
            await RefusedAsync(Problems.ClientUnknown, client.ExchangeAsync(new TestClient(server, forger, "c-0123456789abcdef").Assertion()));
        }

        [Fact]
        public async Task A_one_time_token_enrols_one_key_and_repeats_its_reply_to_that_key()
        {
            await using var server = await StartAsync();
            using var made = await server.SendAsync(HttpMethod.Post, "/v1/enrolment-tokens", server.Local.OperatorToken, """{"name":"ward 7"}""");
            var token = JsonSerializer.Deserialize(await made.Content.ReadAsStringAsync(), WireJson.Default.NewTokenMessage)!.Token;
            using var keys = new Keys();
            var (key, thief) = keys;

            using var first = await TestClient.EnrolAsync(server, key, token, "ward 7");
            using var repeated = await TestClient.EnrolAsync(server, key, token, "ward 7");

            Assert.Equal(HttpStatusCode.Created, first.StatusCode);
            Assert.Equal(await first.Content.ReadAsStringAsync(), await repeated.Content.ReadAsStringAsync());
            await RefusedAsync(Problems.EnrolmentTokenUsed, TestClient.EnrolAsync(server, thief, token, "thief"));
            await RefusedAsync(Problems.EnrolmentTokenInvalid, TestClient.EnrolAsync(server, thief, token + "x", "thief"));
        }

        [Fact]
        public async Task After_a_rotation_the_old_key_signs_nothing_any_more()
        {
            await using var server = await StartAsync();
            var client = await TestClient.EnrolAsync(server);
            using var fresh = ECDsa.Create(ECCurve.NamedCurves.nistP256);

            using var rotated = await server.SendAsync(
                HttpMethod.Post, $"/v1/clients/{client.Id}:rotate", client.Token, JsonSerializer.Serialize(new RotateKeyRequest(TestClient.PublicKeyOf(fresh)), WireJson.Default.RotateKeyRequest));

            Assert.Equal(HttpStatusCode.NoContent, rotated.StatusCode);
            await RefusedAsync(Problems.AssertionInvalid, client.ExchangeAsync(client.Assertion()));
            Assert.NotEmpty(await client.GetTokenAsync(new TestClient(server, fresh, client.Id).Assertion()));
        }
    }

    public sealed class Roles
    {
        [Fact]
        public async Task A_viewer_looks_and_does_not_act_and_the_audit_log_says_who_tried()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();
            using var made = await server.SendAsync(HttpMethod.Post, "/v1/access-tokens", server.Local.OperatorToken, """{"role":"viewer","name":"grafana"}""");
            var viewer = JsonSerializer.Deserialize(await made.Content.ReadAsStringAsync(), WireJson.Default.NewTokenMessage)!;

            using (var shown = await server.SendAsync(HttpMethod.Get, $"/v1/runs/{run}", viewer.Token))
            {
                Assert.Equal(HttpStatusCode.OK, shown.StatusCode);
            }

            foreach (var verb in (string[])["pause", "resume", "stop"])
            {
                await RefusedAsync(Problems.NotAllowed, server.SendAsync(HttpMethod.Post, $"/v1/runs/{run}:{verb}", viewer.Token, """{"reason":""}"""));
            }

            await RefusedAsync(Problems.NotAllowed, server.SendAsync(HttpMethod.Delete, $"/v1/runs/{run}", viewer.Token));
            await RefusedAsync(Problems.NotAllowed, server.SendAsync(HttpMethod.Post, "/v1/runs", viewer.Token, """{"configuration":"buffered 1 1"}"""));
            await RefusedAsync(Problems.NotAllowed, server.SendAsync(HttpMethod.Post, "/v1/access-tokens", viewer.Token, """{"role":"operator","name":"me"}"""));
            await RefusedAsync(Problems.NotAllowed, server.SendAsync(HttpMethod.Post, $"/v1/runs/{run}/check-ins", viewer.Token, """{"examples":1,"waitSeconds":0}"""));
            await (await TestClient.EnrolAsync(server)).AssertUnharmedAsync(run);
            await server.Server.DisposeAsync();
            var audit = await File.ReadAllTextAsync(Path.Combine(server.Folder, "audit.log"));
            Assert.Contains($"Viewer {viewer.Id}", audit, StringComparison.Ordinal);
            Assert.Contains("\"delete run\"", audit, StringComparison.Ordinal);
            Assert.Contains("\"refused\"", audit, StringComparison.Ordinal);
        }

        [Fact]
        public async Task A_client_is_no_operator()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();
            var client = await TestClient.EnrolAsync(server);

            await RefusedAsync(Problems.NotAllowed, server.SendAsync(HttpMethod.Get, $"/v1/runs/{run}", client.Token));
            await RefusedAsync(Problems.NotAllowed, server.SendAsync(HttpMethod.Delete, $"/v1/runs/{run}", client.Token));
            await RefusedAsync(Problems.NotAllowed, server.SendAsync(HttpMethod.Get, "/v1/credentials", client.Token));
            await client.AssertUnharmedAsync(run);
        }

        [Fact]
        public async Task An_assignment_is_its_own_clients_alone()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();
            var (owner, thief) = (await TestClient.EnrolAsync(server), await TestClient.EnrolAsync(server));
            var lease = (await owner.CheckInAsync(run)).Assignment!;
            await RefusedAsync(Problems.AssignmentNotYours, thief.SendRawAsync(run, lease.Id, TestClient.Envelope(lease.Id))); // It has not even joined.
            await thief.CheckInAsync(run);

            await RefusedAsync(Problems.AssignmentNotYours, thief.SendRawAsync(run, lease.Id, TestClient.Envelope(lease.Id)));
            await RefusedAsync(Problems.AssignmentNotYours, server.SendAsync(HttpMethod.Get, $"/v1/runs/{run}/assignments/{lease.Id}", thief.Token));
            await RefusedAsync(Problems.AssignmentNotYours, server.SendAsync(HttpMethod.Post, $"/v1/runs/{run}/assignments/{lease.Id}:fail", thief.Token, """{"reason":"mine"}"""));
            await RefusedAsync(Problems.AssignmentNotYours, thief.SendRawAsync(run, 999, TestClient.Envelope(999)));
            Assert.True((await owner.SendAsync(run, lease.Id, TestClient.Envelope(lease.Id))).Accepted);
        }

        [Fact]
        public async Task An_update_of_another_client_cannot_be_read_back()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();
            var (owner, thief) = (await TestClient.EnrolAsync(server), await TestClient.EnrolAsync(server));
            var lease = (await owner.CheckInAsync(run)).Assignment!;
            await owner.SendAsync(run, lease.Id, TestClient.Envelope(lease.Id));
            var digest = Hosting.TestFactory.OneHot(new AssignmentId(lease.Id)).Reference.Sha256;

            await RefusedAsync(Problems.BlobUnknown, server.SendAsync(HttpMethod.Get, $"/v1/blobs/{digest}", thief.Token));
            using var model = await server.SendAsync(HttpMethod.Get, $"/v1/blobs/{lease.Model.Sha256}", thief.Token);
            Assert.Equal(lease.Model.Sha256, Convert.ToHexStringLower(SHA256.HashData(await model.Content.ReadAsByteArrayAsync())));
        }
    }

    public sealed class Bodies
    {
        [Fact]
        public async Task What_is_too_large_is_refused_before_a_byte_of_it_is_read()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();
            var client = await TestClient.EnrolAsync(server);
            var lease = (await client.CheckInAsync(run)).Assignment!;
            foreach (var (path, type, length) in ((string, string, long)[])
                [($"/v1/runs/{run}/check-ins", "application/json", 1L << 20), ($"/v1/runs/{run}/assignments/{lease.Id}/update", UpdateEnvelope.ContentType, 1L << 30)])
            {
                // Only the head is sent: an answer shows that nobody waits for the body.
                var answer = await Raw.SendAsync(server, $"POST {path} HTTP/1.1\r\nHost: x\r\nFederated-Protocol: 1\r\nAuthorization: Bearer {client.Token}\r\nContent-Type: {type}\r\nContent-Length: {length}\r\n\r\n");
                Assert.StartsWith("HTTP/1.1 413", answer, StringComparison.Ordinal);
                Assert.Contains("/problems/too-large", answer, StringComparison.Ordinal);
            }

            await RefusedAsync(Problems.TooLarge, server.SendAsync(
                HttpMethod.Post, $"/v1/runs/{run}/assignments/{lease.Id}/update", client.Token,
                JsonSerializer.Serialize(new UpdateDeclaration { Delta = new BlobReference(new string('a', 64), 1L << 40), Examples = 1, LocalSteps = 1 }, WireJson.Default.UpdateDeclaration)));
            Assert.True((await client.SendAsync(run, lease.Id, TestClient.Envelope(lease.Id))).Accepted);
        }

        [Fact]
        public async Task A_body_without_a_length_is_not_read()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();
            var client = await TestClient.EnrolAsync(server);

            var answer = await Raw.SendAsync(server, $"POST /v1/runs/{run}/check-ins HTTP/1.1\r\nHost: x\r\nFederated-Protocol: 1\r\nAuthorization: Bearer {client.Token}\r\nTransfer-Encoding: chunked\r\n\r\n");

            Assert.StartsWith("HTTP/1.1 411", answer, StringComparison.Ordinal);
            await client.AssertUnharmedAsync(run);
        }

        [Fact]
        public async Task A_body_that_trickles_in_is_given_up()
        {
            await using var server = await StartAsync(change: o => o with { BodyGraceSeconds = 1.5, MinimumBodyRate = 1000 });
            var run = await server.CreateRunAsync();
            var client = await TestClient.EnrolAsync(server);

            var answer = await Raw.SendAsync(server, $"POST /v1/runs/{run}/check-ins HTTP/1.1\r\nHost: x\r\nFederated-Protocol: 1\r\nAuthorization: Bearer {client.Token}\r\nContent-Length: 1000\r\n\r\n{{");

            Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 408", StringComparison.Ordinal), answer);
            await client.AssertUnharmedAsync(run);
        }

        [Fact]
        public async Task A_head_that_trickles_in_is_given_up()
        {
            await using var server = await StartAsync(change: o => o with { BodyGraceSeconds = 1.5 });

            var answer = await Raw.SendAsync(server, "POST /v1/tokens HTTP/1.1\r\nHo");

            Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 408", StringComparison.Ordinal), answer);
            using var alive = await server.Http.GetAsync("/healthz");
            Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        }

        [Fact]
        public async Task A_decompression_bomb_is_not_opened()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();
            var client = await TestClient.EnrolAsync(server);
            using var bomb = new MemoryStream();
            await using (var gzip = new GZipStream(bomb, CompressionLevel.Optimal, leaveOpen: true))
            {
                await gzip.WriteAsync(new byte[50 << 20]);
            }

            await RefusedAsync(Problems.MediaType, server.SendAsync(
                HttpMethod.Post, $"/v1/runs/{run}/check-ins", client.Token, bytes: bomb.ToArray(), change: r => r.Content!.Headers.ContentEncoding.Add("gzip")));
            await client.AssertUnharmedAsync(run);
        }

        [Fact]
        public async Task Bytes_with_another_digest_and_bytes_that_are_no_update_count_for_nothing()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();
            var client = await TestClient.EnrolAsync(server);
            var lease = (await client.CheckInAsync(run)).Assignment!;
            var flipped = TestClient.Envelope(lease.Id);
            flipped[^1] ^= 1;
            var junk = RandomNumberGenerator.GetBytes(100);
            var declared = new UpdateDeclaration { Delta = new BlobReference(Convert.ToHexStringLower(SHA256.HashData(junk)), junk.Length), Examples = 1, LocalSteps = 1 };

            await RefusedAsync(Problems.Digest, client.SendRawAsync(run, lease.Id, flipped));
            await RefusedAsync(Problems.NotAnUpdate, client.SendRawAsync(run, lease.Id, UpdateEnvelope.Encode(declared, junk)));
            await RefusedAsync(Problems.Malformed, client.SendRawAsync(run, lease.Id, UpdateEnvelope.Encode(declared, junk.AsMemory(1))));
            await RefusedAsync(Problems.Malformed, client.SendRawAsync(run, lease.Id, [0xFF, 0xFF, 0xFF, 0x7F, 1]));
            await RefusedAsync(Problems.Malformed, client.SendRawAsync(run, lease.Id, []));
            await RefusedAsync(Problems.MediaType, server.SendAsync(HttpMethod.Post, $"/v1/runs/{run}/assignments/{lease.Id}/update", client.Token, bytes: junk, contentType: "text/plain"));
            Assert.True((await client.SendAsync(run, lease.Id, TestClient.Envelope(lease.Id))).Accepted);
        }

        [Fact]
        public async Task An_update_that_is_not_finite_is_rejected_and_a_repeated_one_counts_once()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();
            var client = await TestClient.EnrolAsync(server);
            var bad = (await client.CheckInAsync(run)).Assignment!;
            var refused = await client.SendAsync(run, bad.Id, TestClient.Envelope(bad.Id, double.NaN));
            Assert.Equal((false, "not-finite"), (refused.Accepted, refused.Reason));
            var lease = (await client.CheckInAsync(run)).Assignment!;

            for (var i = 0; i < 3; i++)
            {
                Assert.True((await client.SendAsync(run, lease.Id, TestClient.Envelope(lease.Id))).Accepted);
            }

            Assert.Equal(1, server.Server.Runs.Runs.First(r => r.Entry.Id == run).View.Counters.Accepted);
        }
    }

    public sealed class Names
    {
        [Theory]
        [InlineData("..%2f..%2fetc%2fpasswd")]
        [InlineData("..;")]
        [InlineData("%2e%2e%5c")]
        [InlineData("a%00b")]
        [InlineData("A")]
        [InlineData("-a")]
        public async Task A_name_that_could_be_a_path_names_nothing(string name)
        {
            await using var server = await StartAsync();
            var client = await TestClient.EnrolAsync(server);
            foreach (var path in (string[])[$"/v1/runs/{name}", $"/v1/blobs/{name}", $"/v1/uploads/{name}", $"/v1/runs/{name}/models/latest"])
            {
                var raw = await Raw.SendAsync(server, $"GET {path} HTTP/1.1\r\nHost: x\r\nFederated-Protocol: 1\r\nAuthorization: Bearer {server.Local.OperatorToken}\r\nConnection: close\r\n\r\n");
                Assert.Matches("^HTTP/1.1 4(00|04|05)", raw);
            }

            await RefusedAsync(Problems.Malformed, server.SendAsync(
                HttpMethod.Post, "/v1/runs", server.Local.OperatorToken, JsonSerializer.Serialize(new CreateRunRequest("buffered 1 1") { Run = Uri.UnescapeDataString(name) }, WireJson.Default.CreateRunRequest)));
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            await RefusedAsync(Problems.Malformed, TestClient.EnrolAsync(server, key, server.Local.EnrolmentToken, "a\nb"));
            Assert.NotNull(client);
        }
    }

    public sealed class Pressure
    {
        [Fact]
        public async Task Who_comes_too_often_is_told_when_to_come_again_and_others_are_not_held_up()
        {
            await using var server = await StartAsync(change: o => o with { ClientRate = 0.5, ClientBurst = 3 });
            var run = await server.CreateRunAsync();
            var (busy, calm) = (await TestClient.EnrolAsync(server), await TestClient.EnrolAsync(server));
            for (var i = 0; i < 3; i++)
            {
                await busy.CheckInAsync(run);
            }

            using var response = await busy.CheckInRawAsync(run);

            Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
            Assert.InRange(response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 2);
            await calm.AssertUnharmedAsync(run);
        }

        [Fact]
        public async Task A_client_without_a_version_or_of_another_is_told_what_is_spoken()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();
            var client = await TestClient.EnrolAsync(server);
            foreach (var version in (string?[])[null, "2", "0", "one"])
            {
                var problem = await RefusedAsync(Problems.ProtocolVersion, server.SendAsync(
                    HttpMethod.Post, $"/v1/runs/{run}/check-ins", client.Token, """{"examples":1,"waitSeconds":0}""",
                    change: r =>
                    {
                        r.Headers.Remove("Federated-Protocol");
                        if (version is not null)
                        {
                            r.Headers.Add("Federated-Protocol", version);
                        }
                    }));
                Assert.Contains("Versions 1 to 1", problem.Detail, StringComparison.Ordinal);
            }
        }
    }

    private sealed class Keys : IDisposable
    {
        private readonly ECDsa one = ECDsa.Create(ECCurve.NamedCurves.nistP256), two = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        public void Deconstruct(out ECDsa one, out ECDsa two) => (one, two) = (this.one, this.two);

        public void Dispose()
        {
            one.Dispose();
            two.Dispose();
        }
    }

    /// <summary>Bytes on a connection of their own.</summary>
    internal static class Raw
    {
        public static async Task<string> SendAsync(TestServer server, string head)
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync(IPAddress.Loopback, server.Http.BaseAddress!.Port);
            var stream = connection.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes(head));
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            var answer = new StringBuilder();
            var buffer = new byte[4096];
            try
            {
                for (int read; (read = await stream.ReadAsync(buffer, limit.Token)) > 0;)
                {
                    answer.Append(Encoding.UTF8.GetString(buffer, 0, read));
                    if (answer.ToString().Contains("\"instance\"", StringComparison.Ordinal))
                    {
                        break;
                    }
                }
            }
            catch (IOException)
            {
                // Cut off: what came before counts.
            }

            return answer.ToString();
        }
    }
}

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
public sealed partial class SecurityTests
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
                folder = server.HandOver();
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
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
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

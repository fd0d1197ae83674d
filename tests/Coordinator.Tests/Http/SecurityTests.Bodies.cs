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

public sealed partial class SecurityTests
{
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
            await using var server = await StartAsync(change: o => o with { ClientRate = 0.001, ClientBurst = 3 });
            var run = await server.CreateRunAsync();
            var (busy, calm) = (await TestClient.EnrolAsync(server), await TestClient.EnrolAsync(server));
            for (var i = 0; i < 3; i++)
            {
                await busy.CheckInAsync(run);
            }

            using var response = await busy.CheckInRawAsync(run);

            Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
            Assert.InRange(response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 500, 1000); // Less what has passed since the first.
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
}

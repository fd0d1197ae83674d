using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Federated.Coordinator.Http;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Hosting;
using Federated.Protocol;
using Federated.Protocol.Wire;
using static Federated.Coordinator.Tests.Http.TestServer;

namespace Federated.Coordinator.Tests.Http;

/// <summary>Each limit that an operator can set holds where it is set.</summary>
public sealed class LimitTests
{
    public sealed class Uploading
    {
        [Fact]
        public async Task Beyond_so_many_bodies_at_once_the_next_is_told_to_come_later()
        {
            await using var server = await StartAsync(change: o => o with { ConcurrentUploads = 1 });
            var run = await server.CreateRunAsync();
            var (first, second) = (await Declared.NewAsync(server, run), await Declared.NewAsync(server, run));
            var held = new HeldContent(first.Bytes);
            var sending = first.SendAsync(held);
            await first.UntilArrivedAsync(HeldContent.Head);

            await RefusedAsync(Problems.Busy, second.SendAsync());

            held.Release();
            Assert.Equal(HttpStatusCode.NoContent, (await sending).StatusCode);
            Assert.Equal(HttpStatusCode.NoContent, (await second.SendAsync()).StatusCode); // The place was given back.
        }

        [Fact]
        public async Task Beyond_so_many_bodies_of_one_client_its_next_is_refused_and_others_are_not()
        {
            await using var server = await StartAsync(change: o => o with { ConcurrentUploadsPerClient = 1 });
            var run = await server.CreateRunAsync();
            var first = await Declared.NewAsync(server, run);
            var again = await Declared.NewAsync(server, run, first.Client, value: 2);
            var other = await Declared.NewAsync(server, run);
            var held = new HeldContent(first.Bytes);
            var sending = first.SendAsync(held);
            await first.UntilArrivedAsync(HeldContent.Head);

            await RefusedAsync(Problems.TooManyRequests, again.SendAsync());
            Assert.Equal(HttpStatusCode.NoContent, (await other.SendAsync()).StatusCode);

            held.Release();
            Assert.Equal(HttpStatusCode.NoContent, (await sending).StatusCode);
            Assert.Equal(HttpStatusCode.NoContent, (await again.SendAsync()).StatusCode);
        }

        [Fact]
        public async Task Beyond_so_many_unfinished_bytes_none_is_begun_until_one_is_finished()
        {
            await using var server = await StartAsync(change: o => o with { UnfinishedUploadBytes = TestFactory.OneHot(new AssignmentId(0)).Bytes.Length + 10 });
            var run = await server.CreateRunAsync();
            var first = await Declared.NewAsync(server, run);
            var other = await TestClient.EnrolAsync(server);
            var lease = (await other.CheckInAsync(run)).Assignment!.Id;

            await RefusedAsync(Problems.Busy, Declared.AskAsync(server, run, other, lease, TestFactory.OneHot(new AssignmentId(lease)).Reference));

            Assert.Equal(HttpStatusCode.NoContent, (await first.SendAsync()).StatusCode);
            using var now = await Declared.AskAsync(server, run, other, lease, TestFactory.OneHot(new AssignmentId(lease)).Reference);
            Assert.Equal(HttpStatusCode.OK, now.StatusCode);
        }

        [Fact]
        public async Task A_body_of_unknown_length_is_cut_where_the_announced_bytes_end()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();
            var upload = await Declared.NewAsync(server, run);
            var held = new HeldContent([.. upload.Bytes, 0], tellsLength: false);
            held.Release();

            using var refused = await upload.SendAsync(held);

            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
            Assert.InRange(await upload.OffsetAsync(), 0, upload.Bytes.Length);
        }

        [Fact]
        public async Task Vectors_that_the_run_does_not_take_are_not_asked_for()
        {
            await using var server = await StartAsync();
            var run = await server.CreateRunAsync();
            var client = await TestClient.EnrolAsync(server);
            var lease = (await client.CheckInAsync(run)).Assignment!.Id;
            var blob = TestFactory.OneHot(new AssignmentId(lease)).Reference;
            var declaration = new UpdateDeclaration { Delta = blob, Extras = new Dictionary<string, BlobReference> { ["control"] = blob }, Examples = 3, LocalSteps = 1 };
            var problem = await RefusedAsync(Problems.NotAnUpdate, server.SendAsync(
                HttpMethod.Post, $"/v1/runs/{run}/assignments/{lease}/update", client.Token, JsonSerializer.Serialize(declaration, WireJson.Default.UpdateDeclaration)));
            Assert.Contains("0 vectors beside the delta; 1 are announced", problem.Detail, StringComparison.Ordinal);
            await client.AssertUnharmedAsync(run);
        }

        [Fact]
        public void What_nobody_adds_to_for_so_long_is_thrown_away()
        {
            using var temporary = new Storage.TemporaryFolder();
            var folder = temporary.Path;
            var clock = new AheadTime();
            using var store = new TemporaryStore();
            var uploads = new Uploads(folder, store.Store.Blobs, clock, long.MaxValue);
            var idle = TimeSpan.FromSeconds(400);
            var (a, b) = (new BlobReference(new string('a', 64), 5), new BlobReference(new string('b', 64), 5));
            var old = uploads.Begin("c-1", "run", new AssignmentId(1), a)!;
            clock.Ahead = TimeSpan.FromSeconds(300);
            uploads.Forget(idle);
            var young = uploads.Begin("c-1", "run", new AssignmentId(1), b)!;
            Assert.Equal(2, uploads.Count);

            clock.Ahead = TimeSpan.FromSeconds(500);
            uploads.Forget(idle);

            Assert.Null(uploads.Find(old.Id));
            Assert.Same(young, uploads.Find(young.Id));
            Assert.Single(Directory.GetFiles(folder, "*.json"));
        }
    }

    public sealed class Identities
    {
        [Fact]
        public async Task Requests_of_nobody_known_are_counted_by_address()
        {
            await using var server = await StartAsync(change: o => o with { AddressRate = 0.01 });
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var first = await TestClient.EnrolAsync(server, key, server.Local.EnrolmentToken, "ward"); // However low the rate, one may come.
            Assert.Equal(HttpStatusCode.Created, first.StatusCode);

            await RefusedAsync(Problems.TooManyRequests, TestClient.EnrolAsync(server, key, server.Local.EnrolmentToken, "ward"));

            using var known = await server.SendAsync(HttpMethod.Get, "/v1/runs", server.Local.OperatorToken);
            Assert.Equal(HttpStatusCode.OK, known.StatusCode);
        }

        [Fact]
        public async Task No_more_clients_enrol_than_may_and_those_that_did_may_ask_again()
        {
            await using var server = await StartAsync(change: o => o with { Identity = o.Identity with { MaxClients = 1 } });
            using var one = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var two = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using var first = await TestClient.EnrolAsync(server, one, server.Local.EnrolmentToken, "ward");
            Assert.Equal(HttpStatusCode.Created, first.StatusCode);

            await RefusedAsync(Problems.EnrolmentTokenInvalid, TestClient.EnrolAsync(server, two, server.Local.EnrolmentToken, "ward"));

            using var again = await TestClient.EnrolAsync(server, one, server.Local.EnrolmentToken, "ward");
            Assert.Equal(HttpStatusCode.Created, again.StatusCode);
        }

        [Fact]
        public async Task Access_lasts_as_long_as_is_set_and_clocks_may_differ_by_as_much()
        {
            await using var server = await StartAsync(change: o => o with { Identity = o.Identity with { AccessSeconds = 30, ClockSkewSeconds = 5 } });
            var run = await server.CreateRunAsync();
            var client = await TestClient.EnrolAsync(server);
            await RefusedAsync(Problems.AssertionExpired, client.ExchangeAsync(client.Assertion(age: 320, life: 300))); // 20 s: the default would let it pass.
            await RefusedAsync(Problems.AssertionExpired, client.ExchangeAsync(client.Assertion(age: -20, life: 300)));

            server.Clock.Ahead = TimeSpan.FromSeconds(31);

            await RefusedAsync(Problems.TokenExpired, client.CheckInRawAsync(run));
            client.Token = await client.GetTokenAsync(client.Assertion());
            await client.AssertUnharmedAsync(run);
        }
    }

    public sealed class Tokens
    {
        [Theory]
        [InlineData("c")]
        [InlineData("c1")]
        [InlineData("c-1")]
        public void Of_the_same_bytes_in_other_words_are_no_tokens(string client)
        {
            var tokens = new AccessTokens(new byte[32]);
            var good = tokens.Make(client, 1e9);
            Assert.Equal((client, 1e9), tokens.Read(good));
            foreach (var last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".Where(c => c != good[^1]))
            {
                Assert.Null(tokens.Read($"{good[..^1]}{last}"));
            }

            Assert.Null(tokens.Read($"{good[..9]} {good[9..]}"));
        }

        [Fact]
        public async Task For_enrolment_end_with_their_time_and_when_they_are_revoked()
        {
            await using var server = await StartAsync();
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var (_, brief) = await server.Server.Identities.CreateEnrolmentTokenAsync("brief", TimeSpan.FromHours(1), reusable: true);
            var (id, revoked) = await server.Server.Identities.CreateEnrolmentTokenAsync("revoked", null, reusable: true);
            await server.Server.Identities.RevokeAsync(id, "printed on a poster");
            await RefusedAsync(Problems.EnrolmentTokenInvalid, TestClient.EnrolAsync(server, key, revoked, "ward"));

            server.Clock.Ahead = TimeSpan.FromMinutes(61);
            await RefusedAsync(Problems.EnrolmentTokenInvalid, TestClient.EnrolAsync(server, key, brief, "ward"));

            server.Clock.Ahead = TimeSpan.FromMinutes(59);
            using var enrolled = await TestClient.EnrolAsync(server, key, brief, "ward");
            Assert.Equal(HttpStatusCode.Created, enrolled.StatusCode);

            // Who is shut out does not come back by a token that is good.
            await server.Server.Identities.RevokeAsync((await server.Server.Identities.ClientsAsync()).Single().Client, "lost");
            await RefusedAsync(Problems.TokenRevoked, TestClient.EnrolAsync(server, key, server.Local.EnrolmentToken, "ward"));
        }

        [Fact]
        public async Task Are_asked_for_at_every_address_but_those_that_give_them_out()
        {
            await using var server = await StartAsync();
            using var document = JsonDocument.Parse(await server.Http.GetStringAsync("/openapi/v1.json"));
            List<string> open = [];
            foreach (var path in document.RootElement.GetProperty("paths").EnumerateObject().Where(p => p.Name.StartsWith("/v1", StringComparison.Ordinal)))
            {
                foreach (var method in path.Value.EnumerateObject().Select(m => m.Name).Where(m => m is "get" or "post" or "put" or "patch" or "delete" or "head"))
                {
                    using var answer = await server.SendAsync(new HttpMethod(method.ToUpperInvariant()), Regex.Replace(path.Name, "{[^}]*}", "1"));
                    if (answer.StatusCode != HttpStatusCode.Unauthorized)
                    {
                        open.Add($"{method} {path.Name}");
                    }
                }
            }

            // What to speak and with whom, how to come in, and batches, which carry a shuffler's signature.
            Assert.Equal(
                "get /v1, get /v1/shuffling, post /v1/clients, post /v1/runs/{run}/batches/{batch}, post /v1/tokens", string.Join(", ", open.Order(StringComparer.Ordinal)));
        }
    }

    public sealed class Buckets
    {
        [Fact]
        public void Fill_up_to_the_burst_and_no_further()
        {
            var time = new ManualTime();
            var bucket = new TokenBucket(2, 3, time.GetTimestamp());
            time.Advance(3600);
            Assert.Equal([0, 0, 0, 0.5], Enumerable.Range(0, 4).Select(_ => bucket.Take(time).TotalSeconds));
            time.Advance(0.5);
            Assert.Equal(TimeSpan.Zero, bucket.Take(time));
            Assert.False(bucket.IsFull(time));
            time.Advance(1.5);
            Assert.True(bucket.IsFull(time));
        }
    }

    /// <summary>A body whose head is sent at once and whose rest when it is released.</summary>
    private sealed class HeldContent(byte[] bytes, bool tellsLength = true) : HttpContent
    {
        public const int Head = 100;

        private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release() => released.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(bytes.AsMemory(0, Head));
            await stream.FlushAsync();
            await released.Task;
            await stream.WriteAsync(bytes.AsMemory(Head));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = bytes.Length;
            return tellsLength;
        }
    }

    private sealed class TemporaryStore : IDisposable
    {
        private readonly string folder = Directory.CreateTempSubdirectory("fed-store-").FullName;

        public TemporaryStore() => Store = FileStore.Open(folder);

        public FileStore Store { get; }

        public void Dispose() => Directory.Delete(folder, recursive: true);
    }
}

using System.Collections.Concurrent;
using System.Text;
using Federated.Coordinator.Telemetry;
using Federated.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Federated.Coordinator.Tests.Http;

/// <summary>What a coordinator sends to an OpenTelemetry collector: OTLP over gRPC, received by a collector in this process.</summary>
/// <remarks>OpenTelemetry exports what the process does; so no other coordinator works in it meanwhile.</remarks>
[Collection(Alone)]
public sealed class OtlpTests
{
    private const string Alone = "the only coordinator of the process";

    static OtlpTests() => Environment.SetEnvironmentVariable("OTEL_BSP_SCHEDULE_DELAY", "100");

    [Fact]
    public async Task One_trace_follows_an_update_from_its_check_in_to_the_version_that_it_became_part_of()
    {
        await using var collector = await Collector.StartAsync();
        var run = "";
        long[] assignments;
        string folder;
        await using (var server = await TestServer.StartAsync(change: o => o with { OtlpEndpoint = collector.Url }))
        {
            folder = server.HandOver();
            run = await server.CreateRunAsync("buffered 1 2");
            var client = await TestClient.EnrolAsync(server);
            var first = (await client.CheckInAsync(run)).Assignment!.Id;
            var second = (await client.SendAsync(run, first, TestClient.Envelope(first, ready: true))).Next!.Assignment!.Id; // Given in the reply: no check-in of its own.
            assignments = [first, second];
            await server.DisposeAsync();
        }

        // The trace goes on in another process: its id follows from run and assignment.
        await using (var again = await TestServer.StartAsync(folder, o => o with { OtlpEndpoint = collector.Url }))
        {
            var client = await TestClient.EnrolAsync(again, "another");
            Assert.True(again.Server.Runs.Runs.Single().View.Counters.Accepted == 1);
            var other = (await client.CheckInAsync(run, 0)).Wait;
            Assert.NotNull(other); // The only place is taken by the second assignment.
        }

        var spans = await collector.SpansAsync(count: 3);
        foreach (var assignment in assignments)
        {
            var trace = spans.Where(s => s.Trace == Tracing.ContextOf(run, new AssignmentId(assignment)).TraceId.ToHexString()).ToList();
            Assert.Contains(trace, s => s.Name == "check-in");
            Assert.All(trace, s => Assert.Equal((run, assignment.ToString(System.Globalization.CultureInfo.InvariantCulture)), (s.Tags["federated.run"], s.Tags["federated.assignment"])));
        }

        Assert.Equal(["check-in", "check-in", "update"], spans.Select(s => s.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_published_version_ends_the_traces_of_all_updates_in_it_and_metrics_come_too()
    {
        await using var collector = await Collector.StartAsync();
        await using var server = await TestServer.StartAsync(change: o => o with { OtlpEndpoint = collector.Url });
        var run = await server.CreateRunAsync("buffered 1 2");
        var client = await TestClient.EnrolAsync(server);
        for (var i = 0; i < 2; i++)
        {
            await client.AssertUnharmedAsync(run);
        }

        var spans = await collector.SpansAsync(count: 6);
        Assert.Equal(2, spans.Select(s => s.Trace).Distinct().Count());
        Assert.All(spans.GroupBy(s => s.Trace), trace =>
        {
            Assert.Equal(["check-in", "publish", "update"], trace.Select(s => s.Name).Order(StringComparer.Ordinal));
            Assert.Equal(("1", "2"), (trace.Single(s => s.Name == "publish").Tags["federated.version"], trace.Single(s => s.Name == "publish").Tags["federated.updates"]));
            Assert.Equal("0", trace.Single(s => s.Name == "check-in").Tags["federated.base_version"]);
        });
        await server.DisposeAsync(); // Sends what is left.
        Assert.Contains(collector.Metrics, name => name.StartsWith("federated.", StringComparison.Ordinal));
    }

    private sealed record Span(string Trace, string Name, IReadOnlyDictionary<string, string> Tags);

    /// <summary>TraceService and MetricsService of opentelemetry-proto, as far as the tests read them.</summary>
    private sealed class Collector : IAsyncDisposable
    {
        private readonly WebApplication app;
        private readonly ConcurrentQueue<Span> spans = new();
        private readonly SemaphoreSlim arrived = new(0);

        private Collector()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.WebHost.ConfigureKestrel(k => k.ConfigureEndpointDefaults(l => l.Protocols = HttpProtocols.Http2));
            app = builder.Build();
            app.Run(TakeAsync);
        }

        public string Url => app.Urls.First(u => !u.EndsWith(":0", StringComparison.Ordinal));

        public ConcurrentBag<string> Metrics { get; } = [];

        public static async Task<Collector> StartAsync()
        {
            var collector = new Collector();
            await collector.app.StartAsync();
            return collector;
        }

        public async Task<List<Span>> SpansAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                Assert.True(await arrived.WaitAsync(TimeSpan.FromMinutes(5)), $"Only {spans.Count} of {count} spans came: {string.Join(", ", spans)}");
            }

            return [.. spans];
        }

        public ValueTask DisposeAsync()
        {
            arrived.Dispose();
            return app.DisposeAsync();
        }

        private async Task TakeAsync(HttpContext context)
        {
            using var whole = new MemoryStream();
            await context.Request.Body.CopyToAsync(whole);
            var message = whole.ToArray().AsMemory(5); // After gRPC's flag and length.
            var isTraces = context.Request.Path.Value!.EndsWith("TraceService/Export", StringComparison.Ordinal);
            foreach (var resource in Fields(message, 1))
            {
                foreach (var scope in Fields(resource, 2))
                {
                    foreach (var item in Fields(scope, 2))
                    {
                        if (isTraces)
                        {
                            spans.Enqueue(new Span(Convert.ToHexStringLower(Fields(item, 1).First().Span), Text(item, 5), Tags(item)));
                            arrived.Release();
                        }
                        else
                        {
                            Metrics.Add(Text(item, 1));
                        }
                    }
                }
            }

            context.Response.ContentType = "application/grpc";
            await context.Response.Body.WriteAsync(new byte[5]);
            context.Response.AppendTrailer("grpc-status", "0");
        }

        private static Dictionary<string, string> Tags(ReadOnlyMemory<byte> span) => Fields(span, 9).ToDictionary(
            pair => Text(pair, 1),
            pair => Fields(pair, 2).First() is var value && Fields(value, 1).Count > 0 ? Text(value, 1) : Number(value).ToString(System.Globalization.CultureInfo.InvariantCulture),
            StringComparer.Ordinal);

        private static string Text(ReadOnlyMemory<byte> message, int field) => Encoding.UTF8.GetString(Fields(message, field).First().Span);

        /// <summary>Field 3 of an AnyValue, an integer.</summary>
        private static long Number(ReadOnlyMemory<byte> value)
        {
            var at = 1;
            return (long)Varint(value.Span, ref at);
        }

        /// <summary>The length-delimited fields of one number, in a message of Protocol Buffers.</summary>
        private static List<ReadOnlyMemory<byte>> Fields(ReadOnlyMemory<byte> message, int field)
        {
            var found = new List<ReadOnlyMemory<byte>>();
            for (var at = 0; at < message.Length;)
            {
                var key = Varint(message.Span, ref at);
                var length = (key & 7) switch
                {
                    0 => Skip(message.Span, at),
                    1 => 8,
                    5 => 4,
                    _ => (int)Varint(message.Span, ref at),
                };
                if (key == (((ulong)field << 3) | 2))
                {
                    found.Add(message.Slice(at, length));
                }

                at += length;
            }

            return found;
        }

        private static int Skip(ReadOnlySpan<byte> bytes, int at)
        {
            var end = at;
            Varint(bytes, ref end);
            return end - at;
        }

        private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
        {
            var value = 0UL;
            for (var shift = 0; ; shift += 7)
            {
                var next = bytes[at++];
                value |= (ulong)(next & 0x7f) << shift;
                if (next < 0x80)
                {
                    return value;
                }
            }
        }
    }

    [CollectionDefinition(Alone, DisableParallelization = true)]
    public sealed class AloneDefinition;
}

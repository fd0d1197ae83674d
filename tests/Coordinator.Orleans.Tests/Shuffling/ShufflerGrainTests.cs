using System.Collections.Concurrent;
using System.Net;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Orleans.Shuffling;
using Federated.Protocol.Shuffling;
using Federated.Protocol.Wire;
using Federated.Shuffler;
using Federated.Shuffler.Batches;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.TestingHost;

namespace Federated.Coordinator.Orleans.Tests.Shuffling;

/// <summary>A shuffler of two processes, a cluster of its own operator's: what it has answered for outlives either of them.</summary>
public sealed class ShufflerGrainTests
{
    private const int Target = 4, ReportBytes = 64;

    [Fact]
    public async Task Reports_that_were_answered_for_leave_once_also_when_the_silo_that_holds_them_dies()
    {
        await using var cluster = await World.StartAsync();
        var (a, b) = (await cluster.OpenAsync(0), await cluster.OpenAsync(1));
        Assert.Equal(ReportOutcome.Held, await TakeAsync(a, Report(0)));
        Assert.Equal(ReportOutcome.Held, await TakeAsync(b, Report(1)));
        Assert.Equal(ReportOutcome.Replayed, await TakeAsync(b, Report(0, variant: 1)));
        Assert.Empty(cluster.Destination.Batches);

        var dead = await cluster.KillHolderAsync();
        var living = dead == 0 ? b : a;
        Assert.Equal(ReportOutcome.Held, await TakeAsync(living, Report(1))); // Sent again, as by a client whose answer was lost.
        Assert.Equal(ReportOutcome.Replayed, await TakeAsync(living, Report(1, variant: 1)));
        Assert.Equal(ReportOutcome.Held, await TakeAsync(living, Report(2)));
        Assert.Equal(ReportOutcome.Held, await TakeAsync(living, Report(3)));
        await Eventually.HoldsAsync(() => living.Totals.Batches == 1);

        var batch = Assert.Single(cluster.Destination.Batches);
        Assert.All(batch.Value, body => Assert.Equal(batch.Value[0], body)); // However often it was sent.
        var length = BitConverter.ToInt32(batch.Value[0]);
        var header = BatchHeader.TryDecode(batch.Value[0].AsMemory(4, length).ToArray())!;
        Assert.Equal([0L, 1, 2, 3], header.Assignments);
        var reports = batch.Value[0].AsSpan(4 + length).ToArray().Chunk(header.ReportBytes).Select(Convert.ToHexString);
        Assert.Equal(Enumerable.Range(0, Target).Select(i => Convert.ToHexString(Report(i).Inner.Span)).Order(), reports.Order());

        // A ticket stays used when its batch has left, and no report stays behind.
        Assert.Equal(ReportOutcome.Replayed, await TakeAsync(living, Report(3, variant: 1)));
        var history = await cluster.Store.OpenLog("shuffler.s1").LoadAsync(default);
        var inner = Report(2).Inner;
        Assert.DoesNotContain(history.Records.Append(history.Snapshot ?? default), record => record.Span.IndexOf(inner.Span) >= 0);
    }

    [Fact]
    public async Task A_batch_that_cannot_be_delivered_is_delivered_by_the_silo_that_takes_over_in_the_same_order()
    {
        await using var cluster = await World.StartAsync();
        var (a, b) = (await cluster.OpenAsync(0), await cluster.OpenAsync(1));
        cluster.Destination.IsDown = true;
        for (var i = 0; i < Target; i++)
        {
            Assert.Equal(ReportOutcome.Held, await TakeAsync(i % 2 == 0 ? a : b, Report(i)));
        }

        await Eventually.HoldsAsync(() => cluster.Destination.Batches.Count == 1);
        var dead = await cluster.KillHolderAsync();
        cluster.Destination.IsDown = false;
        await Eventually.HoldsAsync(() => (dead == 0 ? b : a).Totals.Batches == 1);
        var bodies = Assert.Single(cluster.Destination.Batches).Value;
        Assert.True(bodies.Count > 1);
        Assert.All(bodies, body => Assert.Equal(bodies[0], body));
    }

    [Fact]
    public async Task A_process_with_other_keys_is_told_so()
    {
        await using var cluster = await World.StartAsync();
        await cluster.OpenAsync(0);
        using var others = ShufflerKeys.Generate();
        var refused = await Assert.ThrowsAsync<ShufflerException>(() => ClusterShuffler.OpenAsync(cluster.Grains(1), "s1", others, TimeProvider.System, default));
        Assert.Contains("keys.json", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>As a client does: again when nobody could take it, as while the shuffler is on its way from one silo to the other.</summary>
    private static async Task<ReportOutcome?> TakeAsync(ClusterShuffler shuffler, HeldReport report)
    {
        ReportOutcome? outcome = null;
        await Eventually.HoldsAsync(async () => (outcome = await shuffler.TakeAsync(report)) is not null);
        return outcome;
    }

    private static HeldReport Report(int i, int variant = 0)
    {
        var inner = new byte[ReportEnvelope.InnerBytes(ReportBytes, 0)];
        new Random((100 * variant) + i).NextBytes(inner);
        return HeldReport.Of(new ShuffleTicket("run", "v0", Target, Target, 600, ReportBytes, 0, 1, i, i, DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 3600), inner);
    }

    private sealed class World : IAsyncDisposable
    {
        private readonly ShufflerKeys keys = ShufflerKeys.Generate();
        private readonly List<ClusterShuffler> opened = [];
        private readonly InProcessTestCluster cluster;

        private World()
        {
            var options = new ShufflerOptions { DataDirectory = "", Name = "s1", Destination = new Uri("http://127.0.0.1:1"), FirstRetrySeconds = 0.05 };
            var builder = new InProcessTestClusterBuilder(2);
            builder.ConfigureSilo((_, silo) => silo
                .AddFederatedShuffler(Store, options, keys, Destination)
                .Configure<ClusterMembershipOptions>(o =>
                {
                    o.ProbeTimeout = TimeSpan.FromSeconds(2);
                    o.NumMissedProbesLimit = 3;
                    o.TableRefreshTimeout = TimeSpan.FromSeconds(1);
                    o.DefunctSiloCleanupPeriod = null;
                }));
            cluster = builder.Build();
        }

        public SharedStore Store { get; } = new();

        public Recorder Destination { get; } = new();

        public static async Task<World> StartAsync()
        {
            var world = new World();
            await world.cluster.DeployAsync();
            return world;
        }

        public IGrainFactory Grains(int silo) => cluster.Silos[silo].ServiceProvider.GetRequiredService<IGrainFactory>();

        public async Task<ClusterShuffler> OpenAsync(int silo)
        {
            opened.Add(await ClusterShuffler.OpenAsync(Grains(silo), "s1", keys, TimeProvider.System, default));
            return opened[^1];
        }

        /// <returns>Which of the two it was.</returns>
        public async Task<int> KillHolderAsync()
        {
            var holder = await Grains(0).GetGrain<IManagementGrain>(0).GetActivationAddress(Grains(0).GetGrain<IShufflerGrain>("s1"));
            var index = cluster.Silos.ToList().FindIndex(silo => silo.SiloAddress.Equals(holder));
            await cluster.KillSiloAsync(cluster.Silos[index]);
            return index;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var shuffler in opened)
            {
                await shuffler.DisposeAsync();
            }

            await cluster.StopAllSilosAsync();
            await cluster.DisposeAsync();
            keys.Dispose();
        }
    }

    /// <summary>Notes every batch that comes, by its id, and takes it when it is not down.</summary>
    private sealed class Recorder : HttpMessageHandler
    {
        public bool IsDown { get; set; }

        public ConcurrentDictionary<string, List<byte[]>> Batches { get; } = new(StringComparer.Ordinal);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
            lock (Batches)
            {
                Batches.GetOrAdd(request.RequestUri!.Segments[^1], _ => []).Add(body);
            }

            return IsDown ? throw new HttpRequestException("Nobody answers.") : new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new StringContent(System.Text.Json.JsonSerializer.Serialize(new BatchReply(Target, 0, 0, false), WireJson.Default.BatchReply)),
            };
        }
    }
}

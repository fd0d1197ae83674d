using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Tests.Hosting;
using Federated.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace Federated.Coordinator.Orleans.Tests.Grains;

/// <summary>Updates that come to a silo whose neighbour has their run.</summary>
public sealed class AggregatorTests
{
    [Fact]
    public async Task What_is_no_update_never_reaches_its_run()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        var door = await DoorAwayFromTheRunAsync(cluster);
        var (_, client, _) = await door.JoinAsync("a", 10);
        var submission = TestFactory.Submission(Assert.IsType<Granted>(await door.CheckInAsync(client, Eventually.Patience, default)).Assignment);
        Assert.IsType<BlobsMissing>(await door.SubmitAsync(submission with { Inline = [] }, default));
        var nonsense = await StoreAsync(cluster, "nonsense"u8.ToArray());
        var refused = await door.SubmitAsync(submission with { Inline = [], Report = submission.Report with { Delta = nonsense } }, default);
        Assert.NotEmpty(Assert.IsType<NotAnUpdate>(refused).Problem);
        Assert.Equal((2, 0), (cluster.Calls["CheckAsync"], cluster.Calls.GetValueOrDefault("SubmitAsync")));
    }

    [Fact]
    public async Task What_was_checked_here_is_counted_there_and_read_there_once()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        var door = await DoorAwayFromTheRunAsync(cluster);
        var (_, client, _) = await door.JoinAsync("a", 10);
        for (var i = 0; i < 3; i++)
        {
            var submission = TestFactory.Submission(Assert.IsType<Granted>(await door.CheckInAsync(client, Eventually.Patience, default)).Assignment);
            var blob = await StoreAsync(cluster, submission.Inline[0].Bytes);
            Assert.IsType<UpdateTaken>(await door.SubmitAsync(submission with { Inline = [] }, default));
            Assert.Equal(2, cluster.Store.Reads(blob)); // On the silo that it came to, and on the one that adds it.
        }

        var view = await door.LookAsync(default);
        Assert.Equal((3, 3L), (view.Version, view.Counters.Accepted));
    }

    [Fact]
    public async Task An_update_of_a_deleted_run_is_not_checked_by_the_next_one_of_its_name()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        var door = await DoorAwayFromTheRunAsync(cluster);
        var (_, client, _) = await door.JoinAsync("a", 10);
        var submission = TestFactory.Submission(Assert.IsType<Granted>(await door.CheckInAsync(client, Eventually.Patience, default)).Assignment);
        await StoreAsync(cluster, submission.Inline[0].Bytes);
        var (aggregator, made) = (cluster.Grains(0).GetGrain<IAggregatorGrain>("run"), door.Entry.CreatedAt.UtcTicks);
        Assert.Equal(new Checked(null, true), await aggregator.CheckAsync(made, submission with { Inline = [] }, default));
        Assert.Equal(default, await aggregator.CheckAsync(made - 1, submission with { Inline = [] }, default));
    }

    [Fact]
    public async Task What_the_silo_has_at_hand_is_not_read_there()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        var door = await DoorAwayFromTheRunAsync(cluster);
        var (_, client, _) = await door.JoinAsync("a", 10);
        var submission = TestFactory.Submission(Assert.IsType<Granted>(await door.CheckInAsync(client, Eventually.Patience, default)).Assignment);
        var blob = await StoreAsync(cluster, submission.Inline[0].Bytes);
        Assert.IsType<UpdateTaken>(await door.SubmitAsync(submission with { Inline = [], AtHand = submission.Inline }, default));
        Assert.Equal(1, cluster.Store.Reads(blob));
    }

    [Fact]
    public async Task An_update_that_is_not_finite_is_its_runs_to_reject()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        var door = await DoorAwayFromTheRunAsync(cluster);
        var (_, client, _) = await door.JoinAsync("a", 10);
        var submission = TestFactory.Submission(Assert.IsType<Granted>(await door.CheckInAsync(client, Eventually.Patience, default)).Assignment, value: double.NaN);
        await StoreAsync(cluster, submission.Inline[0].Bytes);
        Assert.Equal(Rejection.NotFinite, Assert.IsType<UpdateRefused>(await door.SubmitAsync(submission with { Inline = [] }, default)).Reason);
        Assert.Equal(1, (await door.LookAsync(default)).Counters.Rejected);
    }

    [Fact]
    public async Task An_update_of_a_run_that_is_here_is_its_hosts_to_check()
    {
        await using var cluster = await TestSilos.StartAsync(1);
        var door = await cluster.Door(0).CreateAsync("run", TestFactory.Buffered(2, 1), default);
        var (_, client, _) = await door.JoinAsync("a", 10);
        await Eventually.HoldsAsync(() => door.Mirror.Silo.Length > 0);
        var submission = TestFactory.Submission(Assert.IsType<Granted>(await door.CheckInAsync(client, Eventually.Patience, default)).Assignment);
        var blob = await StoreAsync(cluster, submission.Inline[0].Bytes);
        Assert.IsType<UpdateTaken>(await door.SubmitAsync(submission with { Inline = [] }, default));
        Assert.Equal((1, 0), (cluster.Store.Reads(blob), cluster.Calls.GetValueOrDefault("CheckAsync")));
    }

    private static async Task<ClusterRun> DoorAwayFromTheRunAsync(TestSilos cluster)
    {
        await cluster.Door(0).CreateAsync("run", TestFactory.Buffered(2, 1), default);
        var away = Enumerable.Range(0, 2).Single(silo => cluster.Silos[silo].ServiceProvider.GetRequiredService<RunHosting>().Hosts.Count == 0);
        return (await cluster.Door(away).FindAsync("run", default))!;
    }

    private static async Task<BlobReference> StoreAsync(TestSilos cluster, ReadOnlyMemory<byte> bytes)
    {
        await using var writer = await cluster.Store.CreateAsync(default);
        await writer.WriteAsync(bytes, default);
        return await writer.CommitAsync(null, default);
    }
}

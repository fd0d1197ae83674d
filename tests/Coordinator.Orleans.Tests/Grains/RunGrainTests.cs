using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Orleans.Serialization;
using Federated.Coordinator.Scheduling;
using Federated.Coordinator.Tests.Hosting;
using Federated.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace Federated.Coordinator.Orleans.Tests.Grains;

/// <summary>What a run's grain and the front doors of all silos promise each other.</summary>
public sealed class RunGrainTests
{
    [Fact]
    public async Task Of_those_who_create_and_delete_a_run_at_once_one_wins_each_time_and_no_second_host_is_opened()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        var (created, deleted) = (0, 0);
        for (var round = 0; round < 10; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(async () =>
            {
                var door = cluster.Door(i % 2);
                if (i % 3 == 2)
                {
                    Interlocked.Add(ref deleted, await door.DeleteAsync("run", default) ? 1 : 0);
                    return;
                }

                try
                {
                    await door.CreateAsync("run", TestFactory.Buffered(2, 1), default);
                    Interlocked.Increment(ref created);
                }
                catch (CoordinatorException e)
                {
                    // That it was deleted at once by somebody else is a creation too.
                    Interlocked.Add(ref created, e.Message.Contains("deleted it at once", StringComparison.Ordinal) ? 1 : 0);
                }
            })));
            Assert.InRange(created - deleted, 0, 1);
            Assert.Equal(created - deleted, Hosts(cluster));
        }

        Assert.True(created > 0 && cluster.Store.Fenced == 0, $"{created} were created, {cluster.Store.Fenced} appends were fenced.");
    }

    [Fact]
    public async Task A_client_of_a_deleted_run_does_not_reach_the_next_one_of_its_name()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        var old = await cluster.Door(0).CreateAsync("run", TestFactory.Buffered(2, 1), default);
        var (_, client, _) = await old.JoinAsync("a", 10);
        var last = await old.LookAsync(default);
        Assert.Equal(1, last.Clients);
        await cluster.Door(1).DeleteAsync("run", default);
        var next = await cluster.Door(1).CreateAsync("run", TestFactory.Buffered(2, 1), default);
        Assert.IsType<NotAsked>(await old.CheckInAsync(client, TimeSpan.Zero, default));

        // The old run's last news may come at any time after.
        var late = new RunNews(last with { Sequence = 1000 }, 0, default, [], ["a"], null, [], "silo", old.Entry.CreatedAt.UtcTicks);
        await new FollowedRun(next, cluster.Grains(1).GetGrain<IRunGrain>("run"), cluster.Grains(1)).NewsAsync(late);
        Assert.Equal((0, "", null), (next.View.Clients, next.NameOf(client), next.Mirror.Find("a")));
        Assert.Equal(0, (await next.LookAsync(default)).Clients);
        Assert.Equal(next.Entry.CreatedAt, (await cluster.Door(0).FindAsync("run", default))!.Entry.CreatedAt);
    }

    [Fact]
    public async Task A_front_door_that_has_not_looked_at_the_catalog_yet_learns_of_a_run_when_it_must()
    {
        await using var cluster = await TestSilos.StartAsync(2, TestSilos.FrontDoor with { CatalogPeriod = TimeSpan.FromHours(1) });
        await cluster.Door(0).CreateAsync("run", TestFactory.Buffered(2, 1), default);
        Assert.Empty(cluster.Door(1).Runs);
        await cluster.Door(1).LearnAsync(default); // A client that was given work there may fetch its model here.
        Assert.Equal("run", Assert.Single(cluster.Door(1).Runs).Entry.Id);
    }

    [Fact]
    public async Task Every_front_door_hears_what_happens_in_a_run_that_lives_elsewhere()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        var run = await cluster.Door(0).CreateAsync("run", TestFactory.Buffered(2, 1), default);
        var doors = new[] { (await cluster.Door(0).FindAsync("run", default))!, (await cluster.Door(1).FindAsync("run", default))! };
        var feeds = doors.Select(door => door.Subscribe(1000)).ToList();
        foreach (var door in doors)
        {
            await Eventually.HoldsAsync(() => door.View.Sequence > 0);
        }

        var (_, client, _) = await run.JoinAsync("a", 10);
        for (var i = 0; i < 3; i++)
        {
            var granted = Assert.IsType<Granted>(await run.CheckInAsync(client, Eventually.Patience, default));
            var (reference, bytes) = TestFactory.OneHot(granted.Assignment.Id);
            await using (var writer = await cluster.Store.CreateAsync(default))
            {
                await writer.WriteAsync(bytes, default);
                await writer.CommitAsync(reference, default);
            }

            Assert.IsType<UpdateTaken>(await run.SubmitAsync(TestFactory.Submission(granted.Assignment) with { Inline = [] }, default));
        }

        foreach (var (door, feed) in doors.Zip(feeds))
        {
            await Eventually.HoldsAsync(() => door.View.Version == 3 && door.NameOf(client) == "a");
            List<long> sequences = [];
            while (feed.Reader.TryRead(out var notice))
            {
                sequences.Add(notice.Sequence);
            }

            Assert.Equal(Enumerable.Range((int)sequences[0], sequences.Count).Select(n => (long)n), sequences);
            Assert.Equal(0, feed.Dropped);
        }
    }

    [Fact]
    public async Task Every_front_door_is_told_the_facts_of_updates_versions_and_groups()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        var run = await cluster.Door(0).CreateAsync("run", TestFactory.Configuration("compass"), default);
        var doors = new[] { run, (await cluster.Door(1).FindAsync("run", default))! };
        var feeds = doors.Select(door => door.Subscribe(1000)).ToList();
        foreach (var door in doors)
        {
            await Eventually.HoldsAsync(() => door.View.Sequence > 0);
        }

        var (_, client, _) = await run.JoinAsync("a", 10);
        for (var i = 0; i < 3; i++)
        {
            var granted = Assert.IsType<Granted>(await doors[i % 2].CheckInAsync(client, Eventually.Patience, default));
            var submission = TestFactory.Submission(granted.Assignment);
            await using (var writer = await cluster.Store.CreateAsync(default))
            {
                await writer.WriteAsync(submission.Inline[0].Bytes, default);
                await writer.CommitAsync(submission.Report.Delta, default);
            }

            Assert.IsType<UpdateTaken>(await run.SubmitAsync(submission with { Inline = [] }, default));
        }

        foreach (var (door, feed) in doors.Zip(feeds))
        {
            List<RunFact> facts = [];
            await Eventually.HoldsAsync(() =>
            {
                while (feed.Reader.TryRead(out var notice))
                {
                    facts.AddRange(notice.Facts);
                }

                return facts.OfType<VersionMeasured>().Any() && facts.OfType<GroupChanged>().Any();
            });
            Assert.Equal(1, facts.OfType<UpdateMeasured>().First().Norm);
            Assert.Contains(facts.OfType<GroupChanged>(), fact => fact.Group.Members.Contains(client));
        }
    }

    [Fact]
    public async Task A_run_that_was_deleted_behind_its_hosts_back_makes_room_for_the_next_of_its_name()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        var old = await cluster.Door(0).CreateAsync("run", TestFactory.Buffered(2, 1), default);
        await old.JoinAsync("a", 10);
        await cluster.Store.DeleteLogAsync(old.Entry.Log, default); // As by a silo that held the run too, while silos disagreed.
        await cluster.Store.DeleteAsync("runs/run", default);
        var next = await cluster.Door(1).CreateAsync("run", TestFactory.Buffered(2, 1), default);
        Assert.NotEqual(old.Entry.Log, next.Entry.Log);
        Assert.Equal((1, 0), (Hosts(cluster), (await next.LookAsync(default)).Clients));
        Assert.True(await cluster.Door(0).DeleteAsync("run", default));
        Assert.Equal(0, Hosts(cluster));
    }

    [Fact]
    public async Task What_all_runs_need_is_known_to_whoever_sweeps()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        foreach (var id in (string[])["a", "b", "c"])
        {
            await cluster.Door(0).CreateAsync(id, TestFactory.Buffered(2, 1), default);
        }

        var needed = Assert.IsAssignableFrom<IReadOnlySet<string>>(await cluster.Door(1).ReferencedAsync(default));
        foreach (var id in (string[])["a", "b", "c"])
        {
            var view = await (await cluster.Door(1).FindAsync(id, default))!.LookAsync(default);
            Assert.All(view.Versions.Values.SelectMany(v => v.All), blob => Assert.Contains(blob.Sha256, needed));
        }
    }

    [Fact]
    public async Task A_silo_that_stops_saves_its_runs_and_another_has_them_at_once()
    {
        await using var cluster = await TestSilos.StartAsync(2);
        var run = await cluster.Door(0).CreateAsync("run", TestFactory.Buffered(2, 1), default);
        await run.JoinAsync("a", 10);
        var host = Enumerable.Range(0, 2).Single(silo => Hosting(cluster, silo).Hosts.Count == 1);
        var other = (await cluster.Door(1 - host).FindAsync("run", default))!;
        var poll = other.CheckInAsync(new ClientId(0), Eventually.Patience, default);
        await cluster.StopAsync(host);
        Assert.IsType<Granted>(await poll);
        Assert.Equal(HostOutcome.Done, (await other.JoinAsync("b", 10)).Outcome);
        Assert.Equal(1, Hosts(cluster));
    }

    [Fact]
    public void Facts_of_a_run_arrive_as_they_were_sent()
    {
        var group = new GroupChanged(new GroupFact(3, 1.5, 2, 4, double.PositiveInfinity, [new ClientId(4), new ClientId(9)], 1, 0));
        var version = new VersionMeasured(7, 1, 0.25, double.NaN, [(2, "too far")]);
        var read = FactForm.Read(FactForm.Write([group, new UpdateMeasured(new AssignmentId(5), 2.5), version]));
        Assert.Equal(3, read.Count);
        var seen = Assert.IsType<GroupChanged>(read[0]).Group;
        Assert.Equal(group.Group.Members, seen.Members);
        Assert.Equal(group.Group with { Members = seen.Members }, seen);
        Assert.Equal(new UpdateMeasured(new AssignmentId(5), 2.5), read[1]);
        var measured = Assert.IsType<VersionMeasured>(read[2]);
        Assert.Equal(version.LeftOut, measured.LeftOut);
        Assert.Equal(version with { LeftOut = measured.LeftOut }, measured);
        Assert.Empty(FactForm.Read(FactForm.Write([])));
    }

    private static RunHosting Hosting(TestSilos cluster, int silo) => cluster.Silos[silo].ServiceProvider.GetRequiredService<RunHosting>();

    private static int Hosts(TestSilos cluster) => Enumerable.Range(0, cluster.Silos.Count).Sum(silo => Hosting(cluster, silo).Hosts.Count);
}

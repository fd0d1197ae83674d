using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Orleans.Identity;
using Federated.Coordinator.Tests.Hosting;
using Federated.Protocol;

namespace Federated.Coordinator.Orleans.Tests.Grains;

/// <summary>Check-ins of many clients, at every silo's front door.</summary>
public abstract class SelectorTests(short silos)
{
    private static readonly FrontDoorOptions Options = new() { PollQuota = 4, PollRenewal = TimeSpan.FromSeconds(1) };

    [Fact]
    public async Task The_run_hears_of_everybody_in_a_few_messages()
    {
        const int clients = 400;
        await using var cluster = await TestSilos.StartAsync(silos, Options);
        var doors = await DoorsAsync(cluster, "many", TestFactory.Synchronous(clients + 1)); // One more than there are: nobody gets anything.
        var numbers = await JoinAsync(doors, clients);
        var polls = numbers.Select((client, i) => doors[i % silos].CheckInAsync(client, TimeSpan.FromSeconds(4), default)).ToArray();
        await Eventually(async () => (await doors[0].LookAsync(default)).WaitingClients == clients);
        Assert.All(await Task.WhenAll(polls), result => Assert.IsType<Waiting>(result));

        // Four long polls a silo at the run, and their next slice; the others in batches, once and at each of a few renewals.
        var batches = cluster.Calls.GetValueOrDefault(nameof(IRunGrain.CheckInManyAsync));
        Assert.InRange(batches, silos, clients / 4);
        Assert.Equal(clients, (await doors[^1].LookAsync(default)).WaitingClients);
    }

    [Fact]
    public async Task Whoever_is_drawn_is_told_at_once_wherever_it_waits()
    {
        const int clients = 40;
        await using var cluster = await TestSilos.StartAsync(silos, Options with { PollRenewal = TimeSpan.FromSeconds(20) });
        var doors = await DoorsAsync(cluster, "round", TestFactory.Synchronous(clients));
        var numbers = await JoinAsync(doors, clients);
        var start = TimeProvider.System.GetTimestamp();
        var results = await Task.WhenAll(numbers.Select((client, i) => doors[i % silos].CheckInAsync(client, TimeSpan.FromSeconds(15), default)));
        var assignments = results.Select(r => Assert.IsType<Granted>(r).Assignment).ToArray();
        Assert.Equal(clients, assignments.Select(a => a.Id).Distinct().Count());
        Assert.Equal(numbers, assignments.Select(a => a.Client));
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(10), "They were told by a renewal, not by the news.");
    }

    [Fact]
    public async Task What_clients_were_given_and_sent_stands_in_their_own_grains()
    {
        await using var cluster = await TestSilos.StartAsync(silos, Options);
        var identities = await cluster.IdentitiesAsync(0);
        var doors = await DoorsAsync(cluster, "facts", TestFactory.Buffered(10, 1));
        var (_, token) = await identities.CreateEnrolmentTokenAsync("ward", null, reusable: true);
        var (member, _) = await identities.EnrolAsync(token, new Identity.Device().PublicKey, "ward 1");
        Assert.NotNull(await identities.DescribeAsync(member!)); // Every request over HTTP asks who it is, so that the grain is there before anything is told to it that nobody waits for.
        var (_, client, _) = await doors[^1].JoinAsync(member!, 10);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(client, await doors[i % silos].FindAsync(member!, default)); // As every request does that comes over HTTP.
            var granted = Assert.IsType<Granted>(await doors[i % silos].CheckInAsync(client, TimeSpan.FromSeconds(10), default));
            var (reference, bytes) = TestFactory.OneHot(granted.Assignment.Id);
            await using (var writer = await cluster.Store.CreateAsync(default))
            {
                await writer.WriteAsync(bytes, default);
                await writer.CommitAsync(reference, default);
            }

            Assert.IsType<UpdateTaken>(await doors[i % silos].SubmitAsync(
                new UpdateSubmission(granted.Assignment.Id, client, new UpdateReport { Delta = reference, Examples = 10, LocalSteps = 5 }, false), default));
        }

        await Eventually(async () => (await identities.DescribeAsync(member!))!.Note is { SecondsPerStep: > 0, Runs: [var part] } && part == new Participation("facts", client.Value, 3, 3));
    }

    private static async Task Eventually(Func<Task<bool>> holds)
    {
        for (var i = 0; i < 300; i++)
        {
            if (await holds())
            {
                return;
            }

            await Task.Delay(20);
        }

        Assert.Fail("It did not come about within six seconds.");
    }

    private static async Task<ClientId[]> JoinAsync(ClusterRun[] doors, int clients)
    {
        var joined = await Task.WhenAll(Enumerable.Range(0, clients).Select(i => doors[i % doors.Length].JoinAsync($"member-{i}", 10)));
        return [.. joined.Select(j => j.Client)];
    }

    private async Task<ClusterRun[]> DoorsAsync(TestSilos cluster, string id, ReadOnlyMemory<byte> configuration)
    {
        for (var i = 0; i < silos; i++)
        {
            await cluster.Door(i).StartAsync(default);
        }

        await cluster.Door(0).CreateAsync(id, configuration, default);
        var doors = new ClusterRun[silos];
        for (var i = 0; i < silos; i++)
        {
            doors[i] = (await cluster.Door(i).FindAsync(id, default))!;
        }

        return doors;
    }
}

public sealed class TwoSiloSelectors() : SelectorTests(2);

public sealed class FourSiloSelectors() : SelectorTests(4);

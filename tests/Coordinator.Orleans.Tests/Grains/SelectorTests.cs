using Federated.Coordinator.Hosting;
using Federated.Coordinator.Orleans.Grains;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Orleans.Identity;
using Federated.Coordinator.Tests.Hosting;
using Federated.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Hosting;

namespace Federated.Coordinator.Orleans.Tests.Grains;

/// <summary>Check-ins of many clients, at every silo's front door.</summary>
public abstract class SelectorTests(short silos)
{
    private static readonly FrontDoorOptions Options = TestSilos.FrontDoor with { PollQuota = 4 };

    [Fact]
    public async Task The_run_hears_of_everybody_in_a_few_messages()
    {
        const int clients = 400;
        var crowd = new Crowd(clients);
        await using var cluster = await TestSilos.StartAsync(silos, Options with { PollRenewal = TimeSpan.FromSeconds(20) }, silo => silo.AddIncomingGrainCallFilter(crowd));
        var doors = await DoorsAsync(cluster, "many", TestFactory.Synchronous(clients + 1)); // One more than there are: nobody gets anything.
        var numbers = await JoinAsync(doors, clients);
        using var over = Eventually.Guard();
        var polls = numbers.Select((client, i) => doors[i % silos].CheckInAsync(client, Eventually.Patience, over.Token)).ToArray();
        await Eventually.HoldsAsync(async () => (await doors[0].LookAsync(default)).WaitingClients == clients);

        // Four long polls a silo at the run, and their next slice; the others in batches: the first of a silo, the rest, and who is asked for when a door begins to listen, or again.
        Assert.InRange(cluster.Calls[nameof(IRunGrain.CheckInManyAsync)], silos, clients / 4);
        Assert.DoesNotContain(polls, poll => poll.IsCompleted);
        await over.CancelAsync();
        await Task.WhenAll(polls.Select(poll => Record.ExceptionAsync(() => poll)));
        Assert.All(await Task.WhenAll(numbers.Select((client, i) => doors[i % silos].CheckInAsync(client, TimeSpan.Zero, default))), result => Assert.IsType<Waiting>(result));
    }

    [Fact]
    public async Task Whoever_is_drawn_is_told_at_once_wherever_it_waits()
    {
        const int clients = 40;

        // No renewal, no next slice of a long poll and no call that has to be repeated: whoever is told is told by the news.
        await using var cluster = await TestSilos.StartAsync(silos, Options with { PollRenewal = TimeSpan.FromSeconds(20) }, silo =>
        {
            silo.Services.AddSingleton<TimeProvider>(new NoLongTimers(TimeSpan.FromSeconds(10)));
            silo.Configure<SiloMessagingOptions>(o => o.ResponseTimeout = 2 * Eventually.Patience);
        });
        var doors = await DoorsAsync(cluster, "round", TestFactory.Synchronous(clients));
        var numbers = await JoinAsync(doors, clients);
        var results = await Task.WhenAll(numbers.Select((client, i) => doors[i % silos].CheckInAsync(client, 2 * Eventually.Patience, default))).WaitAsync(Eventually.Patience);
        var assignments = results.Select(r => Assert.IsType<Granted>(r).Assignment).ToArray();
        Assert.Equal(clients, assignments.Select(a => a.Id).Distinct().Count());
        Assert.Equal(numbers, assignments.Select(a => a.Client));
    }

    /// <summary>Whether they wait at the run or here: a client whose connection broke asks again before the old one is known to be gone.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public async Task Of_two_check_ins_of_one_client_one_ends_and_the_other_waits_on(int quota)
    {
        await using var cluster = await TestSilos.StartAsync(silos, Options with { PollQuota = quota });
        var doors = await DoorsAsync(cluster, "twice", TestFactory.Synchronous(2));
        var client = Assert.Single(await JoinAsync(doors, 1));
        using var over = Eventually.Guard();
        var older = doors[0].CheckInAsync(client, Eventually.Patience, over.Token);
        await Eventually.HoldsAsync(async () => (await doors[0].LookAsync(default)).WaitingClients == 1);
        var newer = doors[0].CheckInAsync(client, Eventually.Patience, over.Token);
        var ended = await Task.WhenAny(older, newer);
        Assert.IsType<Waiting>(await ended);
        var other = ended == older ? newer : older; // The newer one as a rule; the older one asks anew, and is newer then, when its slice was just over.
        Assert.False(other.IsCompleted);
        await over.CancelAsync();
        await Record.ExceptionAsync(() => other);
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
            var granted = Assert.IsType<Granted>(await doors[i % silos].CheckInAsync(client, Eventually.Patience, default));
            var (reference, bytes) = TestFactory.OneHot(granted.Assignment.Id);
            await using (var writer = await cluster.Store.CreateAsync(default))
            {
                await writer.WriteAsync(bytes, default);
                await writer.CommitAsync(reference, default);
            }

            Assert.IsType<UpdateTaken>(await doors[i % silos].SubmitAsync(
                new UpdateSubmission(granted.Assignment.Id, client, new UpdateReport { Delta = reference, Examples = 10, LocalSteps = 5 }, false), default));
        }

        await Eventually.HoldsAsync(async () => (await identities.DescribeAsync(member!))!.Note is { SecondsPerStep: > 0, Runs: [var part] } && part == new Participation("facts", client.Value, 3, 3));
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

    /// <summary>Keeps the run from hearing of anybody before all have checked in: how the first of them come does not count.</summary>
    private sealed class Crowd(int clients) : IIncomingGrainCallFilter
    {
        private readonly TaskCompletionSource all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int come;

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.Grain is SelectorGrain && context.MethodName == nameof(ISelectorGrain.CheckInAsync) && Interlocked.Increment(ref come) == clients)
            {
                all.SetResult();
            }

            if (context.MethodName == nameof(IRunGrain.CheckInManyAsync))
            {
                await all.Task.WaitAsync(Eventually.Patience);
            }

            await context.Invoke();
        }
    }
}

public sealed class TwoSiloSelectors() : SelectorTests(2);

public sealed class FourSiloSelectors() : SelectorTests(4);

using Federated.Coordinator.Hosting;
using Federated.Coordinator.Runs;
using Federated.Protocol;

namespace Federated.Coordinator.Tests.Hosting.Conformance;

/// <summary>What every host of runs has to do, whether it is one process or a cluster.</summary>
/// <remarks>Updates are one-hot: whatever is lost or counted twice shows in the model.</remarks>
public abstract class HostConformance
{
    /// <summary>How long clients may take for a run; a host that is a process takes seconds to come back.</summary>
    protected virtual TimeSpan Patience => TimeSpan.FromMinutes(2);

    /// <summary>Kills per run in the tests that kill.</summary>
    protected virtual int Kills => 5;

    private protected abstract Task<ITestHosts> StartAsync(TestFactory factory);

    [Theory]
    [InlineData("buffered 6 4", 25)]
    [InlineData("buffered 1 1", 20)]
    [InlineData("synchronous 4", 12)]
    [InlineData("immediate 1", 12)]
    [InlineData("anarchic 2", 10)]
    [InlineData("fixed-window", 6)]
    [InlineData("poisson", 8)]
    public async Task EveryAcknowledgedUpdateCountsOnce(string configuration, int versions)
    {
        await using var hosts = await StartAsync(new TestFactory { Versions = versions });
        await hosts.CreateAsync("run", TestFactory.Configuration(configuration));
        var clients = new TestClients(hosts, "run");
        await clients.RunAsync(8, repeatEvery: 3).WaitAsync(Patience);
        await AssertExactlyOnceAsync(hosts, clients, versions);
    }

    [Theory]
    [InlineData("buffered 6 4", 60)]
    [InlineData("synchronous 4", 40)]
    [InlineData("fixed-window", 20)]
    public async Task SoDoesItWhileHostsAreKilled(string configuration, int versions)
    {
        await using var hosts = await StartAsync(new TestFactory { Versions = versions });
        var run = await hosts.CreateAsync("run", TestFactory.Configuration(configuration));
        var clients = new TestClients(hosts, "run");
        var work = clients.RunAsync(8, repeatEvery: 3);
        for (var kill = 0; kill < Kills && !work.IsCompleted; kill++)
        {
            var target = (kill + 1) * versions / (Kills + 1);
            while (!work.IsCompleted && !(await ProgressAsync(hosts) >= target))
            {
                await Task.Delay(2);
            }

            await hosts.KillOneAsync();
        }

        await work.WaitAsync(Patience);
        await AssertExactlyOnceAsync(hosts, clients, versions);
    }

    /// <summary>Compass scales updates by how fresh they are and how large their clients, so that sums are no whole numbers; what counted still shows where it came from.</summary>
    [Fact]
    public async Task SoDoesAStrategyThatWeighsUpdates()
    {
        await using var hosts = await StartAsync(new TestFactory { Versions = 8 });
        await hosts.CreateAsync("run", TestFactory.Configuration("compass"));
        var clients = new TestClients(hosts, "run");
        await clients.RunAsync(4, repeatEvery: 3).WaitAsync(Patience);
        var view = (await (await hosts.FindAsync("run"))!.ViewAsync())!;
        Assert.Equal((RunStatus.Finished, 8), (view.Status, view.Version));
        Assert.True(view.Counters.Balances, view.Counters.ToString());
        Assert.Equal(view.Counters.Accepted, clients.Taken.Distinct().Count());
        var places = clients.Taken.Select(id => (int)(id.Value % TestFactory.Parameters)).ToHashSet();
        var model = await TestClients.ModelAsync(view, hosts.Blobs);
        Assert.All(Enumerable.Range(0, model.Length), place => Assert.True(model[place] == 0 || places.Contains(place), $"Something counted at {place} that nobody was thanked for."));
        Assert.Contains(model, value => value > 0);
    }

    [Fact]
    public async Task TheModelOfASynchronousRunDoesNotDependOnTheHostNorOnKills()
    {
        var undisturbed = await FinalModelAsync(kills: 0);
        Assert.Equal(undisturbed, await FinalModelAsync(kills: Kills));
        Assert.Equal(ExpectedAfter(20, 3), undisturbed);

        async Task<double[]> FinalModelAsync(int kills)
        {
            await using var hosts = await StartAsync(new TestFactory { Versions = 20 });
            await hosts.CreateAsync("run", TestFactory.Configuration("synchronous 3"));
            var clients = new TestClients(hosts, "run");
            var work = clients.RunAsync(3, repeatEvery: 0);
            for (var kill = 0; kill < kills && !work.IsCompleted; kill++)
            {
                await hosts.KillOneAsync();
            }

            await work.WaitAsync(Patience);
            return await TestClients.ModelAsync((await (await hosts.FindAsync("run"))!.ViewAsync())!, hosts.Blobs);
        }

        // All of the cohort take part in every round, so that assignments 0 … 59 are counted.
        static double[] ExpectedAfter(int rounds, int cohort)
        {
            var expected = new double[TestFactory.Parameters];
            for (var i = 0; i < rounds * cohort; i++)
            {
                expected[i % TestFactory.Parameters]++;
            }

            return expected;
        }
    }

    [Fact]
    public async Task PauseHoldsWorkBackAndResumeGivesItOut()
    {
        await using var hosts = await StartAsync(new TestFactory());
        var run = await hosts.CreateAsync("run", TestFactory.Configuration("buffered 4 4"));
        var (_, client) = await run.JoinAsync("a");
        Assert.Equal(HostOutcome.Done, await run.CommandAsync(OperatorAction.Pause));
        Assert.Equal(RunStatus.Paused, (await run.ViewAsync())!.Status);
        Assert.Equal(WaitKind.Paused, Assert.IsType<Waiting>(await run.CheckInAsync(client, TimeSpan.Zero)).Reason.Kind);
        var poll = run.CheckInAsync(client, TimeSpan.FromSeconds(30));
        Assert.Equal(HostOutcome.Done, await run.CommandAsync(OperatorAction.Resume));
        Assert.IsType<Granted>(await poll.WaitAsync(Patience));
    }

    [Fact]
    public async Task AStoppedRunIsOverForItsClients()
    {
        await using var hosts = await StartAsync(new TestFactory());
        var run = await hosts.CreateAsync("run", TestFactory.Configuration("buffered 1 1"));
        var (_, first) = await run.JoinAsync("a");
        var (_, second) = await run.JoinAsync("b");
        var granted = Assert.IsType<Granted>(await run.CheckInAsync(first, TimeSpan.FromSeconds(5)));
        var poll = run.CheckInAsync(second, TimeSpan.FromSeconds(30));
        Assert.Equal(HostOutcome.Done, await run.CommandAsync(OperatorAction.Stop));
        Assert.Equal(FinishReason.Operator, Assert.IsType<RunOver>(await poll.WaitAsync(Patience)).Reason);
        Assert.IsType<UpdateRefused>(await run.SubmitAsync(TestFactory.Submission(granted.Assignment)));
        Assert.Equal(RunStatus.Finished, (await run.ViewAsync())!.Status);
    }

    [Fact]
    public async Task ABranchStartsFromTheVersionItNames()
    {
        await using var hosts = await StartAsync(new TestFactory { Versions = 3 });
        var run = await hosts.CreateAsync("run", TestFactory.Configuration("buffered 2 1"));
        var clients = new TestClients(hosts, "run");
        await clients.RunAsync(2, repeatEvery: 0).WaitAsync(Patience);
        var source = (await run.ViewAsync())!;
        var model = await TestClients.ModelAsync(source, hosts.Blobs);
        var branch = await hosts.BranchAsync("branch", "run", source.Version);
        var view = (await branch.ViewAsync())!;
        Assert.Equal(0, view.Version);
        Assert.Equal(model, await TestClients.ModelAsync(view, hosts.Blobs));
        await new TestClients(hosts, "branch").RunAsync(2, repeatEvery: 0).WaitAsync(Patience);
        Assert.Equal(model.Sum() + 3, (await TestClients.ModelAsync((await branch.ViewAsync())!, hosts.Blobs)).Sum());
    }

    [Fact]
    public async Task WhatCannotBeIsRefusedWithASentence()
    {
        await using var hosts = await StartAsync(new TestFactory());
        await hosts.CreateAsync("run", TestFactory.Configuration("buffered 2 1"));
        Assert.Contains("already", (await Assert.ThrowsAsync<CoordinatorException>(() => hosts.CreateAsync("run", TestFactory.Configuration("buffered 2 1")))).Message);
        Assert.Contains("no id", (await Assert.ThrowsAsync<CoordinatorException>(() => hosts.CreateAsync("../run", TestFactory.Configuration("buffered 2 1")))).Message);
        Assert.Contains("nonsense", (await Assert.ThrowsAsync<CoordinatorException>(() => hosts.CreateAsync("other", TestFactory.Configuration("nonsense")))).Message);
        Assert.Contains("no run", (await Assert.ThrowsAsync<CoordinatorException>(() => hosts.BranchAsync("branch", "none", 0))).Message);
        Assert.Null(await hosts.FindAsync("other"));
    }

    [Fact]
    public async Task ADeletedRunIsGoneAndItsNameFree()
    {
        await using var hosts = await StartAsync(new TestFactory { Versions = 2 });
        await hosts.CreateAsync("run", TestFactory.Configuration("buffered 2 1"));
        await new TestClients(hosts, "run").RunAsync(2, repeatEvery: 0).WaitAsync(Patience);
        Assert.True(await hosts.DeleteAsync("run"));
        Assert.False(await hosts.DeleteAsync("run"));
        Assert.Null(await hosts.FindAsync("run"));
        var again = await hosts.CreateAsync("run", TestFactory.Configuration("buffered 2 1"));
        Assert.Equal(0, (await again.ViewAsync())!.Version);
    }

    [Fact]
    public virtual async Task AGroupCountsWholeAndOnceAcrossADeath()
    {
        await using var hosts = await StartAsync(new TestFactory());
        var run = await hosts.CreateAsync("run", TestFactory.Configuration("synchronous 3"));
        var joined = await Task.WhenAll(((string[])["a", "b", "c"]).Select(run.JoinAsync));
        var polls = joined.Select(j => run.CheckInAsync(j.Client, TimeSpan.FromSeconds(30))).ToList();
        var leases = (await Task.WhenAll(polls).WaitAsync(Patience)).Cast<Granted>().Select(g => g.Assignment).ToList();
        var members = leases.Select(l => TestFactory.Submission(l)).ToList();

        var nowhere = members[1] with { Inline = [], Report = members[1].Report with { Delta = new BlobReference(new string('0', 64), 5) } };
        var unsound = Assert.IsType<GroupUnsound>(await run.SubmitGroupAsync("batch", [members[0], nowhere]));
        Assert.Equal((nowhere.Assignment, new string('0', 64)), (unsound.Members.Single().Assignment, unsound.Members.Single().Missing.Single().Sha256));
        Assert.Equal(0, (await run.ViewAsync())!.Counters.Accepted);

        // The third names the first one's numbers: what a securely aggregated cohort does.
        var shared = members[2] with { Report = members[0].Report, Inline = [] };
        var taken = Assert.IsType<GroupTaken>(await run.SubmitGroupAsync("batch", [members[0], members[1], shared]));
        Assert.False(taken.Again);
        Assert.All(taken.Members, m => Assert.Null(m.Refused));
        await hosts.KillOneAsync();
        var after = (await hosts.FindAsync("run"))!;
        var again = await after.SubmitGroupAsync("batch", [members[0], members[1], shared]);
        Assert.Equal<MemberOutcome>([.. taken.Members], [.. Assert.IsType<GroupTaken>(again).Members]);
        Assert.True(((GroupTaken)again).Again);
        var view = (await after.ViewAsync())!;
        Assert.Equal((1, 3), (view.Version, view.Counters.Accepted));
        var expected = new double[TestFactory.Parameters];
        expected[leases[0].Id.Value] += 2;
        expected[leases[1].Id.Value]++;
        Assert.Equal(expected, await TestClients.ModelAsync(view, hosts.Blobs));
    }

    [Fact]
    public async Task AnAssignmentGivenUpIsLostAndItsPlaceFilledAgain()
    {
        await using var hosts = await StartAsync(new TestFactory());
        var run = await hosts.CreateAsync("run", TestFactory.Configuration("buffered 1 1"));
        var (_, first) = await run.JoinAsync("a");
        var (_, second) = await run.JoinAsync("b");
        var granted = Assert.IsType<Granted>(await run.CheckInAsync(first, TimeSpan.FromSeconds(5)));
        var poll = run.CheckInAsync(second, TimeSpan.FromSeconds(30));
        Assert.Equal(HostOutcome.Done, await run.FailAsync(granted.Assignment.Id, first));
        Assert.IsType<Granted>(await poll.WaitAsync(Patience));
        Assert.Equal(1, (await run.ViewAsync())!.Counters.Lost);
    }

    private static async Task<int> ProgressAsync(ITestHosts hosts) =>
        await hosts.FindAsync("run") is { } run && await run.ViewAsync() is { } view ? view.Version : 0;

    private static async Task AssertExactlyOnceAsync(ITestHosts hosts, TestClients clients, int versions)
    {
        var view = (await (await hosts.FindAsync("run"))!.ViewAsync())!;
        Assert.Equal((RunStatus.Finished, versions), (view.Status, view.Version));
        Assert.True(view.Counters.Balances, view.Counters.ToString());
        var expected = new double[TestFactory.Parameters];
        foreach (var id in clients.Taken.Distinct())
        {
            expected[id.Value % TestFactory.Parameters]++;
        }

        Assert.Equal(expected, await TestClients.ModelAsync(view, hosts.Blobs));
        Assert.Equal(view.Counters.Accepted, clients.Taken.Distinct().Count());
    }
}

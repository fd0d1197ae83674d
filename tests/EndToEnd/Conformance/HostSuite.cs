using System.Reflection;
using Federated.Coordinator.Tests.Hosting;
using Federated.Coordinator.Tests.Hosting.Conformance;
using Federated.EndToEnd.Cluster;
using Federated.EndToEnd.Serving;
using Federated.Protocol.Wire;
using Xunit.Sdk;

namespace Federated.EndToEnd.Conformance;

/// <summary>
/// The host conformance suite, the very tests that the embedded host and the clusters in one process pass, against processes over the wire. Duplicates are
/// requests sent twice through different front doors; kills are SIGKILL.
/// </summary>
/// <remarks>Its tests are run by name, so that those who lack an engine or a database can be skipped; a test that the suite gains is found by itself.</remarks>
internal sealed class HostSuite(IReadOnlyList<SiloProcess> processes) : HostConformance
{
    private const int Members = 3;

    private readonly List<WireHosts> started = [];

    /// <summary>Kills in each of the tests that kill; the SIGKILLs of a long run are another test's.</summary>
    protected override int Kills => 3;

    protected override TimeSpan Patience => TimeSpan.FromMinutes(6);

    /// <summary>Names of the suite's tests, with their arguments.</summary>
    public static TheoryData<string, object[]> Tests
    {
        get
        {
            var tests = new TheoryData<string, object[]>();
            foreach (var method in typeof(HostConformance).GetMethods().Where(m => m.IsDefined(typeof(FactAttribute), inherit: true)))
            {
                foreach (var arguments in method.GetCustomAttributes<DataAttribute>().SelectMany(data => data.GetData(method)).DefaultIfEmpty([]))
                {
                    tests.Add(method.Name, arguments);
                }
            }

            return tests;
        }
    }

    /// <summary>Runs one test.</summary>
    /// <returns>Processes that it killed.</returns>
    public async Task<int> RunAsync(string test, object[] arguments)
    {
        await (Task)typeof(HostSuite).GetMethod(test)!.Invoke(this, BindingFlags.DoNotWrapExceptions, null, arguments, null)!;
        return started.Sum(hosts => hosts.Killed);
    }

    /// <summary>Over the wire a group is what a session of secure aggregation hands to the run: its sums are whole and count once, whatever dies meanwhile.</summary>
    public override async Task AGroupCountsWholeAndOnceAcrossADeath()
    {
        const int versions = 4;
        await using var hosts = (WireHosts)await StartAsync(new TestFactory());
        var experiment = $$"""
            name: sums
            seed: 11
            data:
              source: { kind: drawn-digits, writers: {{Members}}, trainPerWriter: 20, testPerWriter: 5, size: 12 }
            model: { kind: softmax }
            training: { kind: local, steps: 2, batchSize: 10 }
            strategy: { scheduler: { kind: synchronous, cohort: {{Members}} }, exampleWeight: equal }
            privacy: { kind: distributed, corrupted: 0, noiseMultiplier: 1, delta: 1e-5, maxParticipations: 100000, phaseSeconds: 3, gatherSeconds: 10 }
            run: { stop: { versions: {{versions}} }, evaluateEvery: 0 }
            clients: { count: {{Members}} }
            """;
        var id = $"sums-{Guid.NewGuid():n}";
        var request = WireOperator.Json(new CreateRunRequest(experiment) { Run = id }, WireJson.Default.CreateRunRequest);
        (await hosts.Operator.SendAsync(HttpMethod.Post, "/v1/runs", request))!.Dispose();
        using var limit = new CancellationTokenSource(Patience);
        Uri[] urls = [.. processes.Select(p => p.Url)];
        var members = Enumerable.Range(0, Members).Select(index => Participant.TakePartAsync(id, index, limit.Token, urls)).ToList();
        while ((await LookAsync()).Version == 0)
        {
            await Task.Delay(20, limit.Token);
        }

        await hosts.KillOneAsync();
        await Task.WhenAll(members);
        var run = await LookAsync();
        Assert.Equal((versions, (long)versions * Members), (run.Version, run.Accepted));
        Assert.Equal(run.Dispatched, run.Accepted + run.Lost);

        async Task<RunSummaryMessage> LookAsync() => (await hosts.Operator.AskAsync(HttpMethod.Get, $"/v1/runs/{id}", null, WireJson.Default.RunDetailMessage))!.Summary;
    }

    /// <summary>Runs a synchronous run to its end, with kills on its way.</summary>
    /// <returns>Its final model's digest.</returns>
    public async Task<string> SynchronousModelAsync(int versions, int kills)
    {
        await using var hosts = await StartAsync(new TestFactory { Versions = versions });
        var run = await hosts.CreateAsync("run", TestFactory.Configuration("synchronous 3"));
        var work = new TestClients(hosts, "run").RunAsync(3, repeatEvery: 2);
        for (var kill = 0; kill < kills && !work.IsCompleted; kill++)
        {
            await hosts.KillOneAsync();
        }

        await work.WaitAsync(Patience);
        var view = (await run.ViewAsync())!;
        return view.Versions[versions].Model.Sha256;
    }

    private protected override async Task<ITestHosts> StartAsync(TestFactory factory)
    {
        var hosts = new WireHosts(processes, factory.Versions);
        started.Add(hosts);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        await Task.WhenAll(processes.Select(p => p.ReadyAsync(limit.Token))); // An earlier test may have left one on its way.
        return hosts;
    }
}

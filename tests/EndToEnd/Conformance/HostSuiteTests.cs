using System.Diagnostics;
using Federated.Coordinator.Tests.Storage;
using Federated.EndToEnd.Cluster;
using Xunit.Abstractions;

namespace Federated.EndToEnd.Conformance;

/// <summary>The host suite against <c>fed serve</c>, one process over files: what the embedded host does in a process, over the wire.</summary>
public sealed class ServedHostTests(OneCoordinator host, ITestOutputHelper output) : HostSuiteTests(host, output), IClassFixture<OneCoordinator>
{
    [Theory]
    [MemberData(nameof(Tests))]
    public Task ACoordinatorDoesAsEveryHost(string test, object[] arguments) => PassesAsync(test, arguments);
}

/// <summary>The host suite against <c>fed silo</c> without a database: a cluster of one that is killed and goes on from its files.</summary>
public sealed class OneSiloHostTests(OneSilo host, ITestOutputHelper output) : HostSuiteTests(host, output), IClassFixture<OneSilo>
{
    [SiloTheory]
    [MemberData(nameof(Tests))]
    public Task ASiloOverFilesDoesAsEveryHost(string test, object[] arguments) => PassesAsync(test, arguments);
}

/// <summary>The host suite against two silos as processes on loopback, membership, log and blobs in PostgreSQL.</summary>
[Collection(PostgresTests.Name)]
public sealed class TwoSiloHostTests(TwoSilos hosts, OneCoordinator coordinator, ITestOutputHelper output)
    : HostSuiteTests(hosts, output), IClassFixture<TwoSilos>, IClassFixture<OneCoordinator>
{
    [ClusterTheory]
    [MemberData(nameof(Tests))]
    public Task TwoSilosDoAsEveryHost(string test, object[] arguments) => PassesAsync(test, arguments);

    [ClusterFact]
    public async Task TheModelOfASynchronousRunIsTheEmbeddedHostsToTheBit()
    {
        var expected = await new HostSuite(await coordinator.StartedAsync()).SynchronousModelAsync(30, kills: 0);
        Assert.Equal(expected, await new HostSuite(await hosts.StartedAsync()).SynchronousModelAsync(30, kills: 3));
    }
}

/// <summary>The same against four; with FED_SLOW_TESTS=1.</summary>
[Collection(PostgresTests.Name)]
public sealed class FourSiloHostTests(FourSilos hosts, ITestOutputHelper output) : HostSuiteTests(hosts, output), IClassFixture<FourSilos>
{
    [ClusterTheory(IsSlow = true)]
    [MemberData(nameof(Tests))]
    public Task FourSilosDoAsEveryHost(string test, object[] arguments) => PassesAsync(test, arguments);
}

/// <summary>What the classes above share.</summary>
public abstract class HostSuiteTests(HostProcesses processes, ITestOutputHelper output)
{
    public static TheoryData<string, object[]> Tests => HostSuite.Tests;

    private protected async Task PassesAsync(string test, object[] arguments)
    {
        var clock = Stopwatch.StartNew();
        var killed = await new HostSuite(await processes.StartedAsync()).RunAsync(test, arguments);
        output.WriteLine($"{killed} killed, {clock.Elapsed.TotalSeconds:F1} s.");
    }
}

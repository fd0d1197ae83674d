using System.Globalization;
using Federated.Coordinator.Tests.Storage;
using Federated.EndToEnd.Cluster;
using Federated.EndToEnd.Serving;

namespace Federated.EndToEnd.Conformance;

/// <summary>Processes that the tests of a class share; started with the first test that asks for them.</summary>
public abstract class HostProcesses : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("federated-hosts-").FullName;
    private IReadOnlyList<SiloProcess>? processes;

    private protected abstract int Count { get; }

    private protected abstract bool AreSilos { get; }

    /// <summary>Their common store.</summary>
    private protected abstract Task<string> NewStoreAsync();

    internal async Task<IReadOnlyList<SiloProcess>> StartedAsync()
    {
        if (processes is null)
        {
            _ = Fed.Home; // One for all tests of the process: it is the environment's.
            var store = await NewStoreAsync();
            processes = [.. Enumerable.Range(1, Count).Select(n => new SiloProcess($"host-{n.ToString(CultureInfo.InvariantCulture)}", folder, store, AreSilos))];
            foreach (var process in processes)
            {
                process.Start();
            }
        }

        return processes;
    }

    public void Dispose()
    {
        foreach (var process in processes ?? [])
        {
            process.Dispose();
        }

        Directory.Delete(folder, recursive: true);
    }
}

/// <summary>One coordinator over files.</summary>
public sealed class OneCoordinator : HostProcesses
{
    private protected override int Count => 1;

    private protected override bool AreSilos => false;

    private protected override Task<string> NewStoreAsync() => Task.FromResult(SiloProcess.Files);
}

/// <summary>A cluster of one, over files.</summary>
public sealed class OneSilo : HostProcesses
{
    private protected override int Count => 1;

    private protected override bool AreSilos => true;

    private protected override Task<string> NewStoreAsync() => Task.FromResult(SiloProcess.Files);
}

/// <summary>Silos over a database of their own.</summary>
public abstract class Silos(PostgresServer server, int count) : HostProcesses
{
    private protected override int Count => count;

    private protected override bool AreSilos => true;

    private protected override async Task<string> NewStoreAsync() => $"postgres:{await server.NewDatabaseAsync()}";
}

public sealed class TwoSilos(PostgresServer server) : Silos(server, 2);

public sealed class FourSilos(PostgresServer server) : Silos(server, 4);

using System.Globalization;
using Federated.Coordinator.Identity;
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

    /// <summary>Whether they speak to each other by TLS, with a certificate that they share.</summary>
    private protected virtual bool KnowEachOther => false;

    /// <summary>Their common store.</summary>
    private protected abstract Task<string> NewStoreAsync();

    internal async Task<IReadOnlyList<SiloProcess>> StartedAsync()
    {
        if (processes is null)
        {
            _ = Fed.Home; // One for all tests of the process: it is the environment's.
            var store = await NewStoreAsync();
            for (var n = 1; n <= Count && KnowEachOther; n++)
            {
                await ShareCertificateAsync(n);
            }

            processes = [.. Enumerable.Range(1, Count).Select(n => new SiloProcess($"host-{n.ToString(CultureInfo.InvariantCulture)}", folder, store, AreSilos))];
            foreach (var process in processes)
            {
                process.Start();
            }
        }

        return processes;
    }

    /// <summary>The first one's is made, the others have copies.</summary>
    private async Task ShareCertificateAsync(int n)
    {
        string Data(int host) => Path.Combine(folder, $"host-{host.ToString(CultureInfo.InvariantCulture)}");
        if (n == 1)
        {
            await Fed.RunAsync("pki", "silo", "--data", Data(1));
            return;
        }

        Directory.CreateDirectory(Path.Combine(Data(n), "pki"));
        var (first, own) = (ClusterCertificate.FilesIn(Data(1)), ClusterCertificate.FilesIn(Data(n)));
        File.Copy(first.Certificate, own.Certificate);
        File.Copy(first.Key, own.Key);
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

/// <summary>As they should be: they know each other by their certificate.</summary>
public sealed class TwoSilos(PostgresServer server) : Silos(server, 2)
{
    private protected override bool KnowEachOther => true;
}

public sealed class FourSilos(PostgresServer server) : Silos(server, 4);

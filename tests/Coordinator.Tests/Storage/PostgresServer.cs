using System.Diagnostics;
using System.Globalization;
using Federated.Coordinator.Storage.Postgres;
using Npgsql;

namespace Federated.Coordinator.Tests.Storage;

/// <summary>
/// A PostgreSQL server of the tests' own, on a Unix socket in a temporary folder. Debian's <c>postgresql</c> package has all that is needed
/// (<c>apt-get install postgresql</c>); without it the tests are skipped and say so.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime
{
    public const string Missing = "No PostgreSQL server was found (looked for initdb and postgres in PATH and /usr/lib/postgresql/*/bin); install Debian's package postgresql.";

    private string folder = "";
    private Process? server;
    private int databases;

    /// <summary>The folder with the server's programs; null when there is none.</summary>
    public static string? Programs { get; } = Find();

    public async Task InitializeAsync()
    {
        if (Programs is null)
        {
            return;
        }

        folder = Directory.CreateTempSubdirectory("federated-pg-").FullName;
        if (Environment.UserName == "root")
        {
            await RunAsync("chown", "postgres", folder); // The server refuses to run as root.
        }

        var data = Path.Combine(folder, "data");
        await RunAsync([.. AsServer(Path.Combine(Programs, "initdb")), "-D", data, "-A", "trust", "-U", "fed", "--no-sync", "-E", "UTF8", "--locale=C"]);
        string[] command =
        [
            .. AsServer(Path.Combine(Programs, "postgres")), "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=60",
        ];
        server = Start(command);
        while (await server.StandardError.ReadLineAsync() is { } line)
        {
            if (line.Contains("ready to accept connections", StringComparison.Ordinal))
            {
                _ = server.StandardError.ReadToEndAsync();
                return;
            }
        }

        throw new InvalidOperationException("The PostgreSQL server ended while it started.");
    }

    public async Task DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (server is not null)
        {
            await RunAsync("kill", "-QUIT", server.Id.ToString(CultureInfo.InvariantCulture));
            await server.WaitForExitAsync();
            server.Dispose();
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>An empty database.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        var name = $"test{Interlocked.Increment(ref databases)}";
        await using var connection = new NpgsqlConnection($"Host={folder};Username=fed;Database=postgres");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"create database {name}", connection);
        await command.ExecuteNonQueryAsync();
        return $"Host={folder};Username=fed;Database={name};Maximum Pool Size=10";
    }

    public async Task<PostgresStore> NewStoreAsync() => await PostgresStore.OpenAsync(await NewDatabaseAsync(), default);

    private static IEnumerable<string> AsServer(string program) =>
        Environment.UserName == "root" ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", program] : [program];

    private static string? Find()
    {
        var debian = Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(d => Path.Combine(d, "bin")) : [];
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return debian.Concat(path).FirstOrDefault(d => File.Exists(Path.Combine(d, "initdb")) && File.Exists(Path.Combine(d, "postgres")));
    }

    private static async Task RunAsync(params string[] command)
    {
        using var process = Start(command);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await output;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', command)} failed: {error}");
        }
    }

    private static Process Start(string[] command)
    {
        var start = new ProcessStartInfo(command[0]) { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = "/" };
        foreach (var argument in command[1..])
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }
}

[CollectionDefinition(Name)]
public sealed class PostgresTests : ICollectionFixture<PostgresServer>
{
    public const string Name = "PostgreSQL";
}

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

    private string folder = "", data = "";
    private Process? server;
    private int databases;

    /// <summary>Whether what it acknowledges is on the disk; tests that kill nothing but processes go without.</summary>
    public bool Syncs { get; init; }

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

        data = Path.Combine(folder, "data");
        await RunAsync([.. AsServer(Path.Combine(Programs, "initdb")), "-D", data, "-A", "trust", "-U", "fed", "--no-sync", "-E", "UTF8", "--locale=C"]);
        await StartAsync();
    }

    /// <summary>Starts the server, again after <see cref="KillAsync"/>: it recovers by its own log.</summary>
    public async Task StartAsync()
    {
        server = Start(
        [
            .. AsServer(Path.Combine(Programs!, "postgres")), "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", $"fsync={(Syncs ? "on" : "off")}", "-c", "max_connections=60",
        ]);
        var said = new List<string>();
        while (await server.StandardError.ReadLineAsync() is { } line)
        {
            said.Add(line);
            if (line.Contains("ready to accept connections", StringComparison.Ordinal))
            {
                _ = server.StandardError.ReadToEndAsync();
                return;
            }
        }

        throw new InvalidOperationException($"The PostgreSQL server ended while it started: {string.Join('\n', said)}");
    }

    /// <summary>SIGKILL to the server and every process of it, as when the machine's memory runs out.</summary>
    public async Task KillAsync()
    {
        await RunAsync("kill", "-STOP", server!.Id.ToString(CultureInfo.InvariantCulture)); // It may not start another process while they are listed.
        var all = Children(server.Id).Prepend(server.Id).ToList();
        await RunAsync("sh", "-c", $"kill -9 {string.Join(' ', all)} 2>/dev/null; true");
        await server.WaitForExitAsync();
        while (all.Exists(id => StateOf(id) is not (' ' or 'Z')))
        {
            await Task.Delay(5); // The next server refuses to start while one of them holds the shared memory.
        }

        server.Dispose();
        server = null;
    }

    public async Task DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        if (server is not null)
        {
            await RunAsync("kill", "-QUIT", server.Id.ToString(CultureInfo.InvariantCulture));
            await server.WaitForExitAsync();
            server.Dispose();
        }

        if (folder.Length > 0)
        {
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

    private static IEnumerable<int> Children(int parent) =>
        from folder in Directory.EnumerateDirectories("/proc")
        where int.TryParse(Path.GetFileName(folder), out _)
        let id = int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture)
        where StatOf(id) is [_, var its, ..] && int.Parse(its, CultureInfo.InvariantCulture) == parent
        select id;

    /// <summary>R, S, D, T, Z …; a space when there is no such process.</summary>
    private static char StateOf(int process) => StatOf(process) is [var state, ..] ? state[0] : ' ';

    /// <summary>State, parent and what follows; empty when there is no such process.</summary>
    private static string[] StatOf(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return [];
        }
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

/// <summary>A test that is skipped where no PostgreSQL server is installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute() => Skip = PostgresServer.Programs is null ? PostgresServer.Missing : null;
}

using System.CommandLine;
using System.Net.Sockets;
using Federated.Cli.Output;
using Federated.Coordinator.Http;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Storage.Postgres;
using Federated.Simulation.Serving;

namespace Federated.Cli.Serving;

/// <summary><c>fed serve</c>.</summary>
internal static class ServeCommand
{
    public const string PostgresPrefix = "postgres:";

    public static Command Create(Terminal terminal)
    {
        var options = new ServerOptions();
        var command = new Command("serve", "Coordinate real clients: serve runs over HTTP, durably.");
        options.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var server = options.Read(parsed);
            var factory = new ExperimentRunFactory(options.DataDirectoryOf(parsed), Engines.Trainers);
            var store = await OpenAsync(options.StoreOf(parsed), server.DataDirectory, cancellation).ConfigureAwait(false);
            return await ServeAsync(
                await ListeningAsync(CoordinatorServer.StartAsync(server, store, factory, terminal.Clock, ServedDashboard.Create(), cancellation), server.Listen).ConfigureAwait(false),
                terminal,
                cancellation).ConfigureAwait(false);
        });
        Examples.Add(
            command,
            ("fed serve", "on this machine; fed runs and fed client of the same user need no set-up"),
            ("fed serve --data /var/lib/federated --listen https://0.0.0.0:8443", "for others, with the private authority in the data directory"),
            ("fed serve --listen https://0.0.0.0:443 --certificate fullchain.pem --key privkey.pem", "with a certificate that everybody trusts"));
        return command;
    }

    /// <summary>Serves until it is told to stop, and stops in good order.</summary>
    public static async Task<int> ServeAsync(CoordinatorServer server, Terminal terminal, CancellationToken cancellation)
    {
        await using (server.ConfigureAwait(false))
        {
            terminal.Error.WriteLine($"The coordinator listens on {string.Join(", ", server.Addresses)}. Stop it with Ctrl-C.");
            terminal.Error.WriteLine($"Dashboard: {await ServedDashboard.LinkAsync(server).ConfigureAwait(false)}");
            try
            {
                await Task.Delay(Timeout.Infinite, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                await server.StopAsync().ConfigureAwait(false);
            }
        }

        return ExitCodes.Success;
    }

    /// <summary>A service that cannot listen says where and why, in place of a stack trace.</summary>
    public static async Task<T> ListeningAsync<T>(Task<T> start, IEnumerable<string> addresses)
    {
        try
        {
            return await start.ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException || (e is IOException && e.GetBaseException() is SocketException))
        {
            throw new CommandException(
                ExitCodes.Environment,
                $"Cannot listen on {string.Join(", ", addresses)}: {e.GetBaseException().Message}. Stop what listens there, or choose another address by --listen.");
        }
    }

    public static async Task<IStore> OpenAsync(string store, string folder, CancellationToken cancellation) => store switch
    {
        "files" => FileStore.Open(Path.Combine(folder, "store")),
        _ when store.StartsWith(PostgresPrefix, StringComparison.Ordinal) => await PostgresStore.OpenAsync(store[PostgresPrefix.Length..], cancellation).ConfigureAwait(false),
        _ => throw new CommandException(ExitCodes.Usage, $"There is no store '{store}'; choose files, or postgres:Host=…;Database=…;Username=…."),
    };
}

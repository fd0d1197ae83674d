using System.CommandLine;
using Federated.Cli.Commands;
using Federated.Cli.Output;
using Federated.Coordinator.Http;
using Federated.Coordinator.Privacy;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Storage.Postgres;
using Federated.Protocol.Local;
using Federated.Simulation.Serving;

namespace Federated.Cli.Serving;

/// <summary><c>fed serve</c>.</summary>
internal static class ServeCommand
{
    private const string PostgresPrefix = "postgres:";

    public static Command Create(Terminal terminal)
    {
        var data = new Option<string>("--data")
        {
            Description = "Where everything stands that must survive: runs, models, identities.",
            HelpName = "DIR",
            DefaultValueFactory = _ => "coordinator",
        };
        var listen = new Option<string[]>("--listen")
        {
            Description = $"An address to listen on; may be given several times. Beyond this machine it is TLS or nothing. The default is {LocalCoordinator.DefaultUrl}.",
            HelpName = "URL",
            DefaultValueFactory = _ => [LocalCoordinator.DefaultUrl],
        };
        var store = new Option<string>("--store")
        {
            Description = "files (in the data directory), or postgres:CONNECTION.",
            HelpName = "STORE",
            DefaultValueFactory = _ => "files",
        };
        var certificate = new Option<string>("--certificate") { Description = "PEM file of the server's certificate and chain; without it, fed pki's.", HelpName = "FILE", DefaultValueFactory = _ => "" };
        var key = new Option<string>("--key") { Description = "PEM file of its private key.", HelpName = "FILE", DefaultValueFactory = _ => "" };
        var otlp = new Option<string>("--otlp") { Description = "OTLP endpoint for traces and metrics. The default is $OTEL_EXPORTER_OTLP_ENDPOINT, else none.", HelpName = "URL", DefaultValueFactory = _ => "" };
        var rate = new Option<double?>("--client-rate") { Description = "Requests a second that one client may make on average.", HelpName = "N" };
        var clientEpsilon = new Option<double?>("--client-epsilon")
        {
            Description = "ε that all runs of this coordinator together may cost one client; runs that nothing bounds are refused. The default is no such budget.",
            HelpName = "NUMBER",
        };
        var clientDelta = new Option<double>("--client-delta") { Description = "δ that goes with --client-epsilon.", HelpName = "NUMBER", DefaultValueFactory = _ => 1e-5 };
        var jsonLogs = new Option<bool>("--json-logs") { Description = "Log lines are JSON objects." };
        var dataDirectory = ExperimentOptions.DataDirectoryOption();
        var command = new Command("serve", "Coordinate real clients: serve runs over HTTP, durably.") { data, listen, store, certificate, key, dataDirectory, otlp, rate, clientEpsilon, clientDelta, jsonLogs };
        command.SetAction(async (parsed, cancellation) =>
        {
            var options = new CoordinatorOptions
            {
                DataDirectory = parsed.GetValue(data)!,
                Listen = parsed.GetValue(listen)!,
                Certificate = parsed.GetValue(certificate)!,
                CertificateKey = parsed.GetValue(key)!,
                OtlpEndpoint = parsed.GetValue(otlp)!,
                JsonLogs = parsed.GetValue(jsonLogs),
                ClientBudget = BudgetOf(parsed.GetValue(clientEpsilon), parsed.GetValue(clientDelta)),
            };
            if (parsed.GetValue(rate) is { } perSecond)
            {
                options = options with { ClientRate = perSecond, ClientBurst = 2 * perSecond };
            }

            return await ServeAsync(options, parsed.GetValue(store)!, parsed.GetValue(dataDirectory)!, terminal, cancellation).ConfigureAwait(false);
        });
        Examples.Add(
            command,
            ("fed serve", "on this machine; fed runs and fed client of the same user need no set-up"),
            ("fed serve --data /var/lib/federated --listen https://0.0.0.0:8443", "for others, with the private authority in the data directory"),
            ("fed serve --listen https://0.0.0.0:443 --certificate fullchain.pem --key privkey.pem", "with a certificate that everybody trusts"));
        return command;
    }

    private static LifetimeBudget? BudgetOf(double? epsilon, double delta) => epsilon switch
    {
        null => null,
        > 0 and <= 1e6 when delta is > 0 and < 1 => new LifetimeBudget { Epsilon = epsilon.Value, Delta = delta },
        _ => throw new CommandException(ExitCodes.Usage, $"--client-epsilon must be above 0 and --client-delta in (0, 1); there are {epsilon} and {delta}."),
    };

    private static async Task<int> ServeAsync(CoordinatorOptions options, string store, string dataDirectory, Terminal terminal, CancellationToken cancellation)
    {
        var server = await CoordinatorServer.StartAsync(
            options, await OpenAsync(store, options.DataDirectory, cancellation).ConfigureAwait(false), new ExperimentRunFactory(dataDirectory, Engines.Trainers), terminal.Clock, ServedDashboard.Create(), cancellation).ConfigureAwait(false);
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

    private static async Task<IStore> OpenAsync(string store, string folder, CancellationToken cancellation) => store switch
    {
        "files" => FileStore.Open(Path.Combine(folder, "store")),
        _ when store.StartsWith(PostgresPrefix, StringComparison.Ordinal) => await PostgresStore.OpenAsync(store[PostgresPrefix.Length..], cancellation).ConfigureAwait(false),
        _ => throw new CommandException(ExitCodes.Usage, $"There is no store '{store}'; choose files, or postgres:Host=…;Database=…;Username=…."),
    };
}

using System.CommandLine;
using Federated.Cli.Commands;
using Federated.Coordinator.Http;
using Federated.Coordinator.Privacy;
using Federated.Protocol.Local;

namespace Federated.Cli.Serving;

/// <summary>What <c>fed serve</c> and <c>fed silo</c> can be told alike.</summary>
internal sealed class ServerOptions
{
    private readonly Option<string> data = new("--data")
    {
        Description = "Where everything stands that must survive: runs, models, identities.",
        HelpName = "DIR",
        DefaultValueFactory = _ => "coordinator",
    };

    private readonly Option<string[]> listen = new("--listen")
    {
        Description = $"An address to listen on; may be given several times. Beyond this machine it is TLS or nothing. The default is {LocalCoordinator.DefaultUrl}.",
        HelpName = "URL",
        DefaultValueFactory = _ => [LocalCoordinator.DefaultUrl],
    };

    private readonly Option<string> store = new("--store")
    {
        Description = "files (in the data directory), or postgres:CONNECTION.",
        HelpName = "STORE",
        DefaultValueFactory = _ => "files",
    };

    private readonly Option<string> certificate = new("--certificate") { Description = "PEM file of the server's certificate and chain; without it, fed pki's.", HelpName = "FILE", DefaultValueFactory = _ => "" };
    private readonly Option<string> key = new("--key") { Description = "PEM file of its private key.", HelpName = "FILE", DefaultValueFactory = _ => "" };
    private readonly Option<string> otlp = new("--otlp") { Description = "OTLP endpoint for traces and metrics. The default is $OTEL_EXPORTER_OTLP_ENDPOINT, else none.", HelpName = "URL", DefaultValueFactory = _ => "" };
    private readonly Option<double?> rate = new("--client-rate") { Description = "Requests a second that one client may make on average.", HelpName = "N" };
    private readonly Option<double?> clientEpsilon = new("--client-epsilon")
    {
        Description = "ε that all runs of this coordinator together may cost one client; runs that nothing bounds are refused. The default is no such budget.",
        HelpName = "NUMBER",
    };

    private readonly Option<double> clientDelta = new("--client-delta") { Description = "δ that goes with --client-epsilon.", HelpName = "NUMBER", DefaultValueFactory = _ => 1e-5 };
    private readonly Option<bool> jsonLogs = new("--json-logs") { Description = "Log lines are JSON objects." };
    private readonly Option<string> dataDirectory = ExperimentOptions.DataDirectoryOption();

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[data, listen, store, certificate, key, dataDirectory, otlp, rate, clientEpsilon, clientDelta, jsonLogs])
        {
            command.Add(option);
        }
    }

    public CoordinatorOptions Read(ParseResult parsed)
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
        return parsed.GetValue(rate) is { } perSecond ? options with { ClientRate = perSecond, ClientBurst = 2 * perSecond } : options;
    }

    public string StoreOf(ParseResult parsed) => parsed.GetValue(store)!;

    public string DataDirectoryOf(ParseResult parsed) => parsed.GetValue(dataDirectory)!;

    private static LifetimeBudget? BudgetOf(double? epsilon, double delta) => epsilon switch
    {
        null => null,
        > 0 and <= 1e6 when delta is > 0 and < 1 => new LifetimeBudget { Epsilon = epsilon.Value, Delta = delta },
        _ => throw new CommandException(ExitCodes.Usage, $"--client-epsilon must be above 0 and --client-delta in (0, 1); there are {epsilon} and {delta}."),
    };
}

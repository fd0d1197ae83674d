using System.CommandLine;
using Federated.Protocol.Local;

namespace Federated.Cli.Serving;

/// <summary>The options of every verb that talks to a coordinator as an operator.</summary>
internal sealed class ConnectionOptions
{
    private readonly Option<string> url = new("--url", "-u")
    {
        Description = $"The coordinator. The default is $FED_URL, else {LocalCoordinator.DefaultUrl}.",
        HelpName = "URL",
        Recursive = true,
        DefaultValueFactory = _ => Environment("FED_URL") ?? LocalCoordinator.DefaultUrl,
    };

    private readonly Option<string?> token = new("--token")
    {
        Description = "An operator's or viewer's token. The default is $FED_TOKEN, else what a coordinator on this machine left for its user.",
        HelpName = "TOKEN",
        Recursive = true, // No default value: --help would print it, and a token is a secret.
    };

    private readonly Option<string?> authority = new("--ca")
    {
        Description = "PEM file of the authority behind the coordinator's certificate (its pki/ca.crt). The default is $FED_CA, else those that the system trusts.",
        HelpName = "FILE",
        Recursive = true,
        DefaultValueFactory = _ => Environment("FED_CA"),
    };

    private readonly Option<bool> json = new("--json") { Description = "One JSON document on stdout instead of text.", Recursive = true };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[url, token, authority, json])
        {
            command.Options.Add(option);
        }
    }

    public CoordinatorApi Open(ParseResult parsed) => CoordinatorApi.Open(new CoordinatorOptionsOf(parsed.GetValue(url)!, parsed.GetValue(token) ?? Environment("FED_TOKEN"), parsed.GetValue(authority)));

    public bool IsJson(ParseResult parsed) => parsed.GetValue(json);

    private static string? Environment(string name) => System.Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}

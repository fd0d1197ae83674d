using System.CommandLine;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Federated.Cli.Output;
using Federated.Protocol.Wire;

namespace Federated.Cli.Serving;

/// <summary><c>fed shufflers</c>: what a coordinator's operator does with shufflers that others run.</summary>
internal static class ShufflersCommand
{
    public static Command Create(Terminal terminal)
    {
        var connection = new ConnectionOptions();
        var command = new Command("shufflers", "The shufflers that a coordinator's runs may name.")
        {
            AddVerb(terminal, connection), ListVerb(terminal, connection), RemoveVerb(terminal, connection), KeysVerb(terminal, connection),
        };
        connection.AddTo(command);
        Examples.Add(
            command,
            ("fed shufflers keys", "the ticket key, for a shuffler's operator"),
            ("fed shufflers add s1 --address https://shuffler.example:7441 --keys s1.json", "with the keys that its operator handed over"),
            ("fed shufflers list", "those that privacy.shufflers may name"));
        return command;
    }

    private static Command AddVerb(Terminal terminal, ConnectionOptions connection)
    {
        var name = Name();
        var address = new Option<string>("--address") { Description = "Where clients, or the shuffler before it, reach it.", HelpName = "URL", Required = true };
        var keys = new Option<string?>("--keys") { Description = "The file that fed shuffler keys printed. Without it the shuffler is asked, and its fingerprint is to be compared.", HelpName = "FILE" };
        var command = new Command("add", "Register a shuffler, in place of one of the same name.") { name, address, keys };
        command.SetAction(async (parsed, cancellation) =>
        {
            var url = Uri.TryCreate(parsed.GetValue(address), UriKind.Absolute, out var parsedUrl) ? parsedUrl : throw new CommandException(ExitCodes.Usage, $"'{parsed.GetValue(address)}' is no address.");
            var told = parsed.GetValue(keys) is { } file ? Read(file) : await AskAsync(url, cancellation).ConfigureAwait(false);
            using var api = connection.Open(parsed);
            var shuffler = told with { Name = parsed.GetValue(name)!, Url = url.ToString() };
            await api.PostAsync("/v1/shufflers", shuffler, WireJson.Default.ShufflerMessage, cancellation).ConfigureAwait(false);
            terminal.Out.WriteLine($"{shuffler.Name} is registered. Its keys' fingerprint is {Fingerprint(shuffler)}; its operator sees the same with fed shuffler keys.");
            return ExitCodes.Success;
        });
        return command;
    }

    private static Command ListVerb(Terminal terminal, ConnectionOptions connection)
    {
        var command = new Command("list", "The registered shufflers.");
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = connection.Open(parsed);
            var list = await api.GetAsync("/v1/shufflers", WireJson.Default.ShufflerList, cancellation).ConfigureAwait(false);
            if (connection.IsJson(parsed))
            {
                Json.Write(terminal, list, WireJson.Default.ShufflerList);
            }
            else
            {
                PlainTable.Write(terminal.Out, ["shuffler", "address", "fingerprint"], [.. list.Shufflers.Select(s => (IReadOnlyList<string>)[s.Name, s.Url, Fingerprint(s)])], words: 3);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static Command RemoveVerb(Terminal terminal, ConnectionOptions connection)
    {
        var name = Name();
        var command = new Command("remove", "Forget a shuffler; runs that name it give out no more work.") { name };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = connection.Open(parsed);
            await api.DeleteAsync($"/v1/shufflers/{Uri.EscapeDataString(parsed.GetValue(name)!)}", cancellation).ConfigureAwait(false);
            terminal.Out.WriteLine($"{parsed.GetValue(name)} is forgotten.");
            return ExitCodes.Success;
        });
        return command;
    }

    private static Command KeysVerb(Terminal terminal, ConnectionOptions connection)
    {
        var command = new Command("keys", "The coordinator's own keys for shuffled runs.");
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = connection.Open(parsed);
            var keys = await api.GetAsync("/v1/shuffling", WireJson.Default.ShufflingKeysMessage, cancellation).ConfigureAwait(false);
            if (connection.IsJson(parsed))
            {
                Json.Write(terminal, keys, WireJson.Default.ShufflingKeysMessage);
            }
            else
            {
                terminal.Out.WriteLine($"tickets   {keys.Tickets}");
                terminal.Out.WriteLine($"analyzer  {keys.Analyzer}");
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static Argument<string> Name() => new("name") { Description = "What runs call it: lower-case letters, digits and hyphens." };

    private static ShufflerMessage Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(file), WireJson.Default.ShufflerMessage) ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCodes.Usage, $"{file} is not what fed shuffler keys prints: {e.Message}");
        }
    }

    private static async Task<ShufflerMessage> AskAsync(Uri address, CancellationToken cancellation)
    {
        using var http = new HttpClient();
        try
        {
            return (await http.GetFromJsonAsync(new Uri(address, "/v1/keys"), WireJson.Default.ShufflerMessage, cancellation).ConfigureAwait(false))!;
        }
        catch (Exception e) when (e is HttpRequestException or JsonException)
        {
            throw new CommandException(ExitCodes.Environment, $"{address} does not tell its keys: {e.Message} Get the file from its operator, and give it as --keys.");
        }
    }

    /// <summary>Of both public keys, for two people to compare.</summary>
    internal static string Fingerprint(ShufflerMessage shuffler) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes($"{shuffler.SealingKey}\n{shuffler.SigningKey}")))[..32];
}

using System.CommandLine;
using System.Globalization;
using Federated.Cli.Output;
using Federated.Coordinator.Identity;
using Federated.Protocol.Wire;

namespace Federated.Cli.Serving;

/// <summary><c>fed tokens</c> and <c>fed clients</c>: who may do what.</summary>
internal static class CredentialCommands
{
    public static Command CreateTokens(Terminal terminal)
    {
        var connection = new ConnectionOptions();
        var command = new Command("tokens", "Give out and revoke tokens of a coordinator.")
        {
            EnrolVerb(terminal, connection), CreateVerb(terminal, connection), ListTokensVerb(terminal, connection), RevokeVerb(terminal, connection, "credentials", "token"),
        };
        connection.AddTo(command);
        Examples.Add(
            command,
            ("fed tokens enrol --for 'ward 7'", "a one-time token by which one client enrols, good for a week"),
            ("fed tokens create --role viewer --for grafana --days 365", "for somebody who may only look"),
            ("fed tokens create --role operator --for admin --days 365 --data /var/lib/federated", "the first operator of a coordinator that is not running yet"),
            ("fed tokens revoke t-0123456789ab", "at once and for good"));
        return command;
    }

    public static Command CreateClients(Terminal terminal)
    {
        var connection = new ConnectionOptions();
        var command = new Command("clients", "The clients that are enrolled with a coordinator.") { ListClientsVerb(terminal, connection), RevokeVerb(terminal, connection, "clients", "client") };
        connection.AddTo(command);
        return command;
    }

    private static Command EnrolVerb(Terminal terminal, ConnectionOptions connection)
    {
        var whom = For();
        var days = Days(7);
        var reusable = new Option<bool>("--reusable") { Description = "Any number of clients may enrol with it." };
        var data = Data();
        var command = new Command("enrol", "Make an enrolment token.") { whom, days, reusable, data };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(data) is { } folder)
            {
                return Show(terminal, connection.IsJson(parsed), await OfflineAsync(
                    folder, "enrolment token", terminal, identities => identities.CreateEnrolmentTokenAsync(parsed.GetValue(whom)!, Lifetime(parsed.GetValue(days)), parsed.GetValue(reusable))).ConfigureAwait(false));
            }

            using var api = connection.Open(parsed);
            var made = await api.PostAsync(
                "/v1/enrolment-tokens", new EnrolmentTokenRequest(parsed.GetValue(whom)!, Seconds(parsed.GetValue(days)), parsed.GetValue(reusable)),
                WireJson.Default.EnrolmentTokenRequest, WireJson.Default.NewTokenMessage, cancellation).ConfigureAwait(false);
            return Show(terminal, connection.IsJson(parsed), made);
        });
        return command;
    }

    private static Command CreateVerb(Terminal terminal, ConnectionOptions connection)
    {
        var (whom, days) = (For(), Days(1));
        var role = new Option<string>("--role") { Description = "operator or viewer.", DefaultValueFactory = _ => "viewer", HelpName = "ROLE" };
        role.AcceptOnlyFromAmong("operator", "viewer");
        var data = Data();
        var command = new Command("create", "Make a token for an operator or a viewer.") { role, whom, days, data };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(data) is { } folder)
            {
                var which = parsed.GetValue(role) == "operator" ? Role.Operator : Role.Viewer;
                return Show(terminal, connection.IsJson(parsed), await OfflineAsync(
                    folder, $"{parsed.GetValue(role)} token", terminal, identities => identities.CreateAccessTokenAsync(which, parsed.GetValue(whom)!, Lifetime(parsed.GetValue(days)))).ConfigureAwait(false));
            }

            using var api = connection.Open(parsed);
            var made = await api.PostAsync(
                "/v1/access-tokens", new AccessTokenRequest(parsed.GetValue(role)!, parsed.GetValue(whom)!, Seconds(parsed.GetValue(days))),
                WireJson.Default.AccessTokenRequest, WireJson.Default.NewTokenMessage, cancellation).ConfigureAwait(false);
            return Show(terminal, connection.IsJson(parsed), made);
        });
        return command;
    }

    private static Command ListTokensVerb(Terminal terminal, ConnectionOptions connection)
    {
        var command = new Command("list", "Tokens that were given out, without their secrets.");
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = connection.Open(parsed);
            var list = await api.GetAsync("/v1/credentials", WireJson.Default.TokenList, cancellation).ConfigureAwait(false);
            if (connection.IsJson(parsed))
            {
                Json.Write(terminal, list, WireJson.Default.TokenList);
            }
            else
            {
                PlainTable.Write(
                    terminal.Out, ["id", "kind", "state", "until", "for"], [.. list.Tokens.Select(t => (IReadOnlyList<string>)[t.Id, t.Kind, t.State, t.Expires ?? "no end", t.Name])], words: 5);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static Command ListClientsVerb(Terminal terminal, ConnectionOptions connection)
    {
        var command = new Command("list", "Enrolled clients.");
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = connection.Open(parsed);
            var list = await api.GetAsync("/v1/clients", WireJson.Default.ClientList, cancellation).ConfigureAwait(false);
            if (connection.IsJson(parsed))
            {
                Json.Write(terminal, list, WireJson.Default.ClientList);
            }
            else
            {
                PlainTable.Write(
                    terminal.Out, ["client", "name", "enrolled", "credential", "revoked"],
                    [.. list.Clients.Select(c => (IReadOnlyList<string>)[c.Client, c.Name, c.EnrolledAt, c.Credential, c.RevokedAt ?? ""])], words: 5);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static Command RevokeVerb(Terminal terminal, ConnectionOptions connection, string path, string what)
    {
        var id = new Argument<string>("id") { Description = $"The {what}'s id." };
        var reason = new Option<string>("--reason") { Description = "Why, for the audit log.", DefaultValueFactory = _ => "" };
        var command = new Command("revoke", $"Revoke a {what}, at once and for good.") { id, reason };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = connection.Open(parsed);
            await api.PostAsync(
                $"/v1/{path}/{Uri.EscapeDataString(parsed.GetValue(id)!)}:revoke", new RevokeRequest(parsed.GetValue(reason)!), WireJson.Default.RevokeRequest, cancellation).ConfigureAwait(false);
            if (!connection.IsJson(parsed))
            {
                terminal.Out.WriteLine($"{parsed.GetValue(id)} is revoked.");
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static Option<string> For() => new("--for") { Description = "Whose it is, or what it is for.", HelpName = "NAME", DefaultValueFactory = _ => "" };

    private static Option<double> Days(double days) => new("--days")
    {
        Description = string.Create(CultureInfo.InvariantCulture, $"Days that it is good for, 0 for no end. The default is {days}."),
        HelpName = "N",
        DefaultValueFactory = _ => days,
    };

    private static Option<string?> Data() => new("--data")
    {
        Description = "Make it in the data directory of a coordinator that is not running, in place of asking a coordinator. Whoever can write there may do everything.",
        HelpName = "DIR",
    };

    private static double Seconds(double days) => days * 86400;

    private static TimeSpan? Lifetime(double days) => days > 0 ? TimeSpan.FromDays(days) : null;

    /// <summary>Makes a token where the coordinator keeps its identities; its next start knows it, and its audit log tells of it.</summary>
    private static async Task<NewTokenMessage> OfflineAsync(string folder, string what, Terminal terminal, Func<IdentityStore, ValueTask<(string Id, string Token)>> make)
    {
        var identities = IdentityStore.Open(Path.Combine(folder, "identity"), new IdentityOptions(), terminal.Clock);
        await using (identities.ConfigureAwait(false))
        {
            var audit = AuditLog.Open(Path.Combine(folder, "audit.log"), terminal.Clock);
            await using (audit.ConfigureAwait(false))
            {
                var (id, token) = await make(identities).ConfigureAwait(false);
                await audit.WriteAsync(null, $"create {what}", id, "done", $"in the data directory, by {System.Environment.UserName}").ConfigureAwait(false);
                return new NewTokenMessage(id, token);
            }
        }
    }

    private static int Show(Terminal terminal, bool json, NewTokenMessage made)
    {
        if (json)
        {
            Json.Write(terminal, made, WireJson.Default.NewTokenMessage);
        }
        else
        {
            terminal.Out.WriteLine(made.Token);
            terminal.Error.WriteLine($"This is shown once. Its id, to revoke it by, is {made.Id}.");
        }

        return ExitCodes.Success;
    }
}

using System.CommandLine;
using Federated.Cli.Output;
using Federated.Coordinator.Identity;

namespace Federated.Cli.Serving;

/// <summary><c>fed pki</c>: the private authority of a coordinator.</summary>
internal static class PkiCommand
{
    public static Command Create(Terminal terminal)
    {
        var data = new Option<string>("--data") { Description = "The coordinator's data directory; the authority stands in its folder pki.", HelpName = "DIR", DefaultValueFactory = _ => "coordinator", Recursive = true };
        var command = new Command("pki", "Make certificates: for the coordinator's TLS, and for clients that show who they are by mutual TLS.")
        {
            InitVerb(terminal, data), ServerVerb(terminal, data), ClientVerb(terminal, data), SiloVerb(terminal, data),
        };
        command.Options.Add(data);
        Examples.Add(
            command,
            ("fed pki init --data /var/lib/federated", "an authority of your own; give its ca.crt to clients"),
            ("fed pki server --name fl.hospital.example --name 10.1.2.3", "the certificate that the coordinator shows"),
            ("fed pki silo", "what the silos of a cluster know each other by; the same on all of them"),
            ("fed pki client ward-7 --out ward-7/", "a client's certificate and key; fed clients revoke ward-7 takes it back"));
        return command;
    }

    private static PrivateAuthority Open(ParseResult parsed, Option<string> data, Terminal terminal) => Guarded(() =>
        PrivateAuthority.TryOpen(Folder(parsed, data), terminal.Clock) ?? throw new CommandException(ExitCodes.Usage, $"There is no authority in '{Folder(parsed, data)}'. Make one with fed pki init."));

    private static string Folder(ParseResult parsed, Option<string> data) => Path.Combine(parsed.GetValue(data)!, "pki");

    private static Command InitVerb(Terminal terminal, Option<string> data)
    {
        var command = new Command("init", "Make the authority, unless there is one.");
        command.SetAction(parsed =>
        {
            var authority = Guarded(() => PrivateAuthority.OpenOrCreate(Folder(parsed, data), terminal.Clock));
            terminal.Out.WriteLine($"The authority's certificate is {Path.Combine(Folder(parsed, data), "ca.crt")}; its SHA-256 is {authority.Fingerprint}.");
            terminal.Out.WriteLine("Whoever has ca.key can make certificates: keep it, or move it offline.");
            return ExitCodes.Success;
        });
        return command;
    }

    private static Command ServerVerb(Terminal terminal, Option<string> data)
    {
        var names = new Option<string[]>("--name") { Description = "A name or address by which clients reach the coordinator; may be given several times.", HelpName = "NAME", Required = true };
        var command = new Command("server", "Issue the coordinator's own certificate.") { names };
        command.SetAction(parsed =>
        {
            var authority = Open(parsed, data, terminal);
            Guarded(() =>
            {
                authority.IssueServer(parsed.GetValue(names)!);
                return 0;
            });
            terminal.Out.WriteLine($"The coordinator's certificate for {string.Join(", ", parsed.GetValue(names)!)} is {Path.Combine(Folder(parsed, data), "server.crt")}. Start the coordinator again to use it.");
            return ExitCodes.Success;
        });
        return command;
    }

    private static Command ClientVerb(Terminal terminal, Option<string> data)
    {
        var client = new Argument<string>("client") { Description = "The client's id: lower-case letters, digits and hyphens." };
        var days = new Option<double>("--days") { Description = "Days that it is good for.", HelpName = "N", DefaultValueFactory = _ => 365 };
        var output = new Option<string>("--out") { Description = "Where certificate and key go.", HelpName = "DIR", DefaultValueFactory = _ => "." };
        var command = new Command("client", "Issue a client's certificate.") { client, days, output };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(days) is not (> 0 and <= 3650))
            {
                throw new CommandException(ExitCodes.Usage, "--days must be above 0 and at most 3650.");
            }

            var authority = Open(parsed, data, terminal);
            var (certificate, key) = Guarded(() => authority.IssueClient(parsed.GetValue(client)!, TimeSpan.FromDays(parsed.GetValue(days)), parsed.GetValue(output)!));
            terminal.Out.WriteLine($"Give {certificate}, {key} and {Path.Combine(Folder(parsed, data), "ca.crt")} to the client, by a way that nobody listens to.");
            return ExitCodes.Success;
        });
        return command;
    }

    private static Command SiloVerb(Terminal terminal, Option<string> data)
    {
        var days = new Option<double>("--days") { Description = "Days that it is good for.", HelpName = "N", DefaultValueFactory = _ => 3650 };
        var command = new Command("silo", "Make the certificate that the silos of a cluster know each other by.") { days };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(days) is not (> 0 and <= 36500))
            {
                throw new CommandException(ExitCodes.Usage, "--days must be above 0 and at most 36500.");
            }

            var (certificate, key) = ClusterCertificate.FilesIn(parsed.GetValue(data)!);
            var digest = Guarded(() => ClusterCertificate.Create(certificate, key, TimeSpan.FromDays(parsed.GetValue(days)), terminal.Clock));
            terminal.Out.WriteLine($"The silos' certificate is {certificate}, its key {key}; its SHA-256 is {digest}.");
            terminal.Out.WriteLine("Copy both to every silo, by a way that nobody listens to: whoever has the key is a silo.");
            return ExitCodes.Success;
        });
        return command;
    }

    private static T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (IdentityException problem)
        {
            throw new CommandException(ExitCodes.Usage, problem.Message);
        }
    }
}

using System.CommandLine;
using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Federated.Cli.Clients;
using Federated.Cli.Output;
using Federated.Client.Transport;
using Federated.Coordinator;
using Federated.Coordinator.Http;
using Federated.Coordinator.Identity;
using Federated.Privacy.Hpke;
using Federated.Protocol.Wire;
using Federated.Shuffler;
using Federated.Shuffler.Http;
#if ORLEANS
using System.Globalization;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Coordinator.Orleans.Shuffling;
#endif

namespace Federated.Cli.Serving;

/// <summary><c>fed shuffler</c>: the service that stands between clients and a coordinator; somebody else than the coordinator's operator runs it.</summary>
internal static class ShufflerCommand
{
    private const string DefaultUrl = "http://127.0.0.1:7441";

    public static Command Create(Terminal terminal)
    {
        var data = new Option<string>("--data") { Description = "Keys, and the reports that are held.", HelpName = "DIR", DefaultValueFactory = _ => "shuffler", Recursive = true };
        var name = new Option<string>("--name") { Description = "What the coordinator's operator calls this shuffler.", HelpName = "NAME", DefaultValueFactory = _ => "shuffler", Recursive = true };
        var listen = new Option<string[]>("--listen") { Description = $"An address to listen on; may be given several times. Beyond this machine it is TLS or nothing. The default is {DefaultUrl}.", HelpName = "URL", DefaultValueFactory = _ => [DefaultUrl] };
        var to = new Option<string>("--to") { Description = "Where batches go: the coordinator, or the next shuffler.", HelpName = "URL", DefaultValueFactory = _ => "http://127.0.0.1:7431" };
        var tickets = new Option<string?>("--tickets") { Description = "The coordinator's ticket key (fed shufflers keys prints it). On loopback it is asked of the coordinator.", HelpName = "KEY" };
        var previous = new Option<string?>("--previous") { Description = "The signing key of the shuffler before this one, where clients do not come here.", HelpName = "KEY" };
        var minBatch = new Option<int>("--min-batch") { Description = "No batch of fewer reports leaves, whatever the coordinator says.", HelpName = "N", DefaultValueFactory = _ => 2 };
        var inFlight = new Option<int>("--in-flight") { Description = "MiB of reports that are received at once, and so the largest batch of a shuffler before this one; beyond, clients are told to come back.", HelpName = "N", DefaultValueFactory = _ => 1024 };
        var store = new Option<string>("--store")
        {
            Description = "Where reports are held: files, in the data directory; or postgres:CONNECTION, a database of this shuffler's own that several processes of it share (needs Orleans).",
            HelpName = "STORE",
            DefaultValueFactory = _ => "files",
        };
        var address = new Option<string>("--address") { Description = "With --store postgres:… IP address (or name) at which the shuffler's other processes reach this one; beyond this machine with a certificate, or --plain-silos.", HelpName = "ADDRESS", DefaultValueFactory = _ => "127.0.0.1" };
        var siloCertificate = new Option<string>("--silo-certificate")
        {
            Description = "PEM file of the certificate that those processes know each other by; the same on all. Without it, fed pki silo's of the data directory.", HelpName = "FILE", DefaultValueFactory = _ => "",
        };
        var siloKey = new Option<string>("--silo-key") { Description = "PEM file of its private key.", HelpName = "FILE", DefaultValueFactory = _ => "" };
        var plain = new Option<bool>("--plain-silos") { Description = "They speak without TLS beyond this machine: nobody else is in their network, or it encrypts itself." };
        var port = new Option<int>("--port") { Description = "The port at which they do.", HelpName = "N", DefaultValueFactory = _ => 11211 };
        var certificate = new Option<string?>("--certificate") { Description = "PEM file of the server's certificate and chain; without it, fed pki's in the data directory.", HelpName = "FILE" };
        var key = new Option<string?>("--key") { Description = "PEM file of its private key.", HelpName = "FILE" };
        var authority = new Option<string?>("--ca") { Description = "PEM file of the authority behind the destination's certificate. The default is those that the system trusts.", HelpName = "FILE" };
        var command = new Command("shuffler", "Stand between clients and a coordinator: hold sealed reports, and pass on whole batches in random order.")
        {
            listen, to, tickets, previous, minBatch, inFlight, store, address, port, siloCertificate, siloKey, plain, certificate, key, authority, KeysVerb(terminal, data, name),
        };
        command.Options.Add(data);
        command.Options.Add(name);
        command.SetAction(async (parsed, cancellation) =>
        {
            var folder = parsed.GetValue(data)!;
            Check(parsed.GetValue(minBatch) >= 2, "--min-batch must be 2 or more: in a batch of one report nobody hides.");
            Check(parsed.GetValue(inFlight) >= 1, "--in-flight must be 1 or more.");
            Check(parsed.GetValue(previous) is null || parsed.GetValue(tickets) is null, "--tickets is for the shuffler that clients send to, --previous for one behind it: give one of the two.");
            Check(parsed.GetValue(key) is null || parsed.GetValue(certificate) is not null, "--key goes with --certificate.");
            using var keys = Guarded(() => ShufflerKeys.OpenOrCreate(folder));
            var destination = Uri.TryCreate(parsed.GetValue(to), UriKind.Absolute, out var url) ? url : throw new CommandException(ExitCodes.Usage, $"'{parsed.GetValue(to)}' is no address; it must look like https://host:port.");
            var handler = HttpTransport.CreateHandler(new HttpTransportOptions { Endpoints = Endpoints.Of(destination), TrustedRoots = parsed.GetValue(authority) is { } pem ? Pem.Roots(pem) : null });
            var options = new ShufflerOptions
            {
                DataDirectory = folder,
                Name = parsed.GetValue(name)!,
                Destination = destination,
                TicketKey = parsed.GetValue(previous) is not null ? "" : parsed.GetValue(tickets) ?? await AskAsync(destination, terminal, cancellation).ConfigureAwait(false),
                PreviousKey = parsed.GetValue(previous) ?? "",
                MinBatch = parsed.GetValue(minBatch),
                MaxBytesInFlight = (long)parsed.GetValue(inFlight) << 20,
                Listen = [.. parsed.GetValue(listen)!.Select(text => Address(text, () => Certificate(folder, parsed.GetValue(certificate), parsed.GetValue(key), terminal)))],
            };
            var shared = parsed.GetValue(store)!;
            Check(shared == "files" || shared.StartsWith(ServeCommand.PostgresPrefix, StringComparison.Ordinal), $"There is no store '{shared}'; choose files, or postgres:Host=…;Database=…;Username=….");
            Check(
                shared != "files" || !((Option[])[address, port, siloCertificate, siloKey, plain]).Any(option => parsed.GetResult(option) is { Implicit: false }),
                "--address, --port, --silo-certificate, --silo-key and --plain-silos are for a shuffler of several processes: they go with --store postgres:….");
            if (shared == "files")
            {
                return await ServeAsync(
                    options, () => ShufflerServer.StartAsync(options, keys, handler, terminal.Clock, cancellation), terminal, cancellation).ConfigureAwait(false);
            }

            Check(options.PreviousKey.Length == 0, "A shuffler behind another has one process: --previous does not go with --store postgres:….");
            Check(parsed.GetValue(port) is >= 1 and <= 65535, "--port must be 1 to 65535.");
#if ORLEANS
            var silo = new SiloOptions
            {
                Cluster = $"shuffler-{options.Name}",
                Name = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}-{parsed.GetValue(port)}"),
                Address = await SiloCommand.AddressAsync(parsed.GetValue(address)!, cancellation).ConfigureAwait(false),
                Port = parsed.GetValue(port),
                Certificate = parsed.GetValue(siloCertificate)!,
                CertificateKey = parsed.GetValue(siloKey)!,
                IsPlain = parsed.GetValue(plain),
                Connection = shared[ServeCommand.PostgresPrefix.Length..],
            };
            options = options with { MaxReportBytes = Math.Min(options.MaxReportBytes, ShufflerSilo.MaxReportBytes) };
            return await ServeAsync(
                options,
                async () =>
                {
                    var opened = await ServeCommand.OpenAsync(shared, folder, cancellation).ConfigureAwait(false);
                    var shuffler = await ShufflerSilo.StartAsync(silo, opened, options, keys, handler, terminal.Clock, cancellation).ConfigureAwait(false);
                    return await ShufflerServer.StartAsync(options, keys, shuffler, cancellation).ConfigureAwait(false);
                },
                terminal,
                cancellation).ConfigureAwait(false);
#else
            throw new CommandException(ExitCodes.Usage, "A shuffler of several processes needs Orleans, and this build has none: its package feed lacks it. Add a feed that has it and run ./fed engines --probe, or leave --store out.");
#endif
        });
        Examples.Add(
            command,
            ("fed shuffler keys --name s1 > s1.json", "make the keys; the coordinator's operator registers the file with fed shufflers add"),
            ("fed shuffler --name s1", "on this machine, for a coordinator on this machine"),
            ("fed shuffler --name s1 --store 'postgres:Host=db;Database=shuffler;Username=s1' --address 10.1.0.1 --data /var/lib/shuffler --tickets KEY", "as one of several processes with the same keys"),
            ("fed shuffler --name s1 --listen https://0.0.0.0:7441 --to https://fl.example.org:8443 --tickets KEY --min-batch 100", "for others; its operator must not be the coordinator's"));
        return command;
    }

    private static Command KeysVerb(Terminal terminal, Option<string> data, Option<string> name)
    {
        var command = new Command("keys", "Print the public keys, as fed shufflers add takes them; they are made the first time.");
        command.SetAction(parsed =>
        {
            using var keys = Guarded(() => ShufflerKeys.OpenOrCreate(parsed.GetValue(data)!));
            var shuffler = new ShufflerMessage(parsed.GetValue(name)!, "", keys.SealingKey, keys.SigningKey);
            Json.Write(terminal, shuffler, WireJson.Default.ShufflerMessage);
            terminal.Error.WriteLine($"Their fingerprint is {ShufflersCommand.Fingerprint(shuffler)}; the coordinator's operator sees the same when it is registered.");
            return ExitCodes.Success;
        });
        return command;
    }

    private static async Task<int> ServeAsync(ShufflerOptions options, Func<Task<ShufflerServer>> start, Terminal terminal, CancellationToken cancellation)
    {
        ShufflerServer server;
        try
        {
            server = await ServeCommand.ListeningAsync(
                start(), options.Listen.Select(a => FormattableString.Invariant($"{a.Host}:{a.Port}"))).ConfigureAwait(false);
        }
        catch (ShufflerException e)
        {
            throw new CommandException(ExitCodes.Usage, e.Message);
        }

        await using (server.ConfigureAwait(false))
        {
            terminal.Error.WriteLine($"Shuffler {options.Name} listens on {string.Join(", ", server.Addresses)}, and passes batches of {options.MinBatch} or more to {options.Destination}. Envelopes are opened with {Hpke.CurveInUse}. Stop it with Ctrl-C.");
            try
            {
                for (var told = ""; ;)
                {
                    await Task.Delay(TimeSpan.FromSeconds(5), terminal.Clock, cancellation).ConfigureAwait(false);
                    if (server.Service.Trouble is { Length: > 0 } trouble && trouble != told)
                    {
                        terminal.Error.WriteLine(told = trouble);
                    }
                }
            }
            catch (OperationCanceledException)
            {
                // Asked to stop.
            }
        }

        return ExitCodes.Success;
    }

    /// <summary>On loopback there is nobody between to put another key in its place.</summary>
    private static async Task<string> AskAsync(Uri destination, Terminal terminal, CancellationToken cancellation)
    {
        if (!destination.IsLoopback)
        {
            throw new CommandException(ExitCodes.Usage, "--tickets is needed for a coordinator on another machine: its operator prints the key with fed shufflers keys, and hands it over by a way that can be trusted.");
        }

        using var http = new HttpClient();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var keys = await http.GetFromJsonAsync(new Uri(destination, "/v1/shuffling"), WireJson.Default.ShufflingKeysMessage, cancellation).ConfigureAwait(false);
                return keys!.Tickets;
            }
            catch (Exception e) when (e is JsonException || (e is HttpRequestException && attempt >= 300))
            {
                throw new CommandException(ExitCodes.Environment, $"The coordinator at {destination} does not tell its ticket key: {e.Message}");
            }
            catch (HttpRequestException)
            {
                if (attempt == 0)
                {
                    terminal.Error.WriteLine($"Waits for the coordinator at {destination}, to be told its ticket key; half a minute at most. --to names another coordinator.");
                }

                await Task.Delay(100, cancellation).ConfigureAwait(false); // It may be starting too.
            }
        }
    }

    private static ShufflerAddress Address(string text, Func<X509Certificate2> certificate)
    {
        try
        {
            var address = ListenAddress.Parse(text);
            return new ShufflerAddress(address.Host, address.Port, address.UsesTls ? certificate() : null);
        }
        catch (CoordinatorException e)
        {
            throw new CommandException(ExitCodes.Usage, e.Message);
        }
    }

    private static X509Certificate2 Certificate(string folder, string? certificate, string? key, Terminal terminal) =>
        certificate is not null ? Pem.Certificate(certificate, key) : PrivateAuthority.OpenOrCreate(Path.Combine(folder, "pki"), terminal.Clock).ServerCertificate();

    private static void Check(bool isSo, string otherwise)
    {
        if (!isSo)
        {
            throw new CommandException(ExitCodes.Usage, otherwise);
        }
    }

    private static ShufflerKeys Guarded(Func<ShufflerKeys> open)
    {
        try
        {
            return open();
        }
        catch (ShufflerException e)
        {
            throw new CommandException(ExitCodes.Usage, e.Message);
        }
    }
}

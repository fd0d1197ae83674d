using System.CommandLine;
using Federated.Cli.Output;
#if ORLEANS
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Federated.Coordinator.Http;
using Federated.Coordinator.Orleans.Hosting;
using Federated.Simulation.Serving;
#endif

namespace Federated.Cli.Serving;

/// <summary><c>fed silo</c>: <c>fed serve</c> as one of several processes that share the work. Needs Orleans in the build.</summary>
internal static class SiloCommand
{
    public static Command Create(Terminal terminal)
    {
        var server = new ServerOptions();
        var cluster = new Option<string>("--cluster") { Description = "Silos of one name and one database find each other.", HelpName = "NAME", DefaultValueFactory = _ => "federated" };
        var name = new Option<string>("--name") { Description = "Tells this silo from the others. The default is the machine's name and the port.", HelpName = "NAME", DefaultValueFactory = _ => "" };
        var address = new Option<string>("--address")
        {
            Description = "IP address (or name) at which the other silos reach this one; beyond this machine with a certificate, or --plain-silos.",
            HelpName = "ADDRESS",
            DefaultValueFactory = _ => "127.0.0.1",
        };
        var port = new Option<int>("--port") { Description = "The port at which the other silos reach this one.", HelpName = "N", DefaultValueFactory = _ => 11111 };
        var certificate = new Option<string>("--silo-certificate")
        {
            Description = "PEM file of the certificate that silos know each other by, and of others that they know; the same on all. Without it, fed pki silo's of the data directory.",
            HelpName = "FILE",
            DefaultValueFactory = _ => "",
        };
        var key = new Option<string>("--silo-key") { Description = "PEM file of its private key.", HelpName = "FILE", DefaultValueFactory = _ => "" };
        var plain = new Option<bool>("--plain-silos") { Description = "Silos speak without TLS beyond this machine: nobody else is in their network, or it encrypts itself." };
        var probe = new Option<double>("--probe-seconds") { Description = "A silo that is silent for three times so long is given up, and its runs move.", HelpName = "N", DefaultValueFactory = _ => 3 };
        var command = new Command("silo", "Coordinate real clients as one silo of a cluster; every silo serves every run.") { cluster, name, address, port, certificate, key, plain, probe };
        server.AddTo(command);
#if ORLEANS
        command.SetAction(async (parsed, cancellation) =>
        {
            var (options, store) = (server.Read(parsed), server.StoreOf(parsed));
            var silo = new SiloOptions
            {
                Cluster = parsed.GetValue(cluster)!,
                Name = parsed.GetValue(name) is { Length: > 0 } given ? given : string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}-{parsed.GetValue(port)}"),
                Address = await AddressAsync(parsed.GetValue(address)!, cancellation).ConfigureAwait(false),
                Port = parsed.GetValue(port),
                Certificate = parsed.GetValue(certificate)!,
                CertificateKey = parsed.GetValue(key)!,
                IsPlain = parsed.GetValue(plain),
                ProbeSeconds = parsed.GetValue(probe),
                Connection = store.StartsWith(ServeCommand.PostgresPrefix, StringComparison.Ordinal) ? store[ServeCommand.PostgresPrefix.Length..] : "",
                FrontDoor = new FrontDoorOptions { SweepPeriod = TimeSpan.FromSeconds(options.SweepSeconds) },
            };
            if (silo.ProbeSeconds is not (>= 0.1 and <= 60) || silo.Port is < 1 or > 65535)
            {
                throw new CommandException(ExitCodes.Usage, "--probe-seconds must be 0.1 to 60, --port 1 to 65535.");
            }

            if (silo.Connection.Length == 0 && !IPAddress.IsLoopback(IPAddress.Parse(silo.Address)))
            {
                throw new CommandException(ExitCodes.Usage, "A silo over files is alone, and no other one reaches it: leave --address out, or name the database that the silos share by --store postgres:….");
            }

            var factory = new ExperimentRunFactory(server.DataDirectoryOf(parsed), Engines.Trainers);
            var opened = await ServeCommand.OpenAsync(store, options.DataDirectory, cancellation).ConfigureAwait(false);
            var source = new SiloRunSource(silo, options, opened, factory, terminal.Clock);
            await source.PrepareAsync(cancellation).ConfigureAwait(false);
            try
            {
                return await ServeCommand.ServeAsync(
                    await CoordinatorServer.StartAsync(options, opened, factory, source, terminal.Clock, ServedDashboard.Create(), cancellation).ConfigureAwait(false), terminal, cancellation).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                throw new CommandException(ExitCodes.Environment, $"The silo cannot listen on {silo.Address}, port {silo.Port}: {e.Message}. Choose another by --address and --port.");
            }
        });
#else
        command.SetAction((_, _) => throw new CommandException(
            ExitCodes.Usage,
            "fed silo needs Orleans, and this build has none: its package feed lacks it. Add a feed that has it and run ./fed engines --probe, or use fed serve."));
#endif
        Examples.Add(
            command,
            ("fed pki silo --data /var/lib/federated", "once: copy silo.crt and silo.key to every silo's pki folder"),
            ("fed silo --data /var/lib/federated --store 'postgres:Host=db;Database=federated;Username=fed' --address 10.0.0.1 --listen https://0.0.0.0:8443", "on each of the machines, with its own address"),
            ("fed silo", "a cluster of one, over files"));
        return command;
    }

#if ORLEANS
    internal static async Task<string> AddressAsync(string given, CancellationToken cancellation)
    {
        if (IPAddress.TryParse(given, out var address))
        {
            return address.ToString();
        }

        try
        {
            return (await Dns.GetHostAddressesAsync(given, cancellation).ConfigureAwait(false)).OrderBy(a => a.AddressFamily == AddressFamily.InterNetwork ? 0 : 1).First().ToString();
        }
        catch (SocketException e)
        {
            throw new CommandException(ExitCodes.Environment, $"'{given}' is no IP address and no name of one: {e.Message}. Give the address at which the other silos reach this one.");
        }
    }
#endif
}

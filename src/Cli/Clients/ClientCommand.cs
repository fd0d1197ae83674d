using System.CommandLine;
using System.Globalization;
using Federated.Aggregation.Randomness;
using Federated.Cli.Commands;
using Federated.Cli.Output;
using Federated.Client;
using Federated.Client.Session;
using Federated.Client.Store;
using Federated.Client.Transport;
using Federated.Protocol.Local;
using Federated.Simulation;
using Federated.Simulation.Configuration;
using Federated.Simulation.Serving;

namespace Federated.Cli.Clients;

/// <summary><c>fed client</c>: the ready-made client over this project's data loaders and kernels.</summary>
internal static class ClientCommand
{
    private const long CacheBytes = 1L << 30;

    private static readonly TimeSpan ReachPatience = TimeSpan.FromSeconds(5);

    public static Command Create(Terminal terminal)
    {
        var arguments = new ClientArguments();
        var command = new Command("client", "Take part in a run as a client: train on data of your own, or on a shard of an experiment's.");
        foreach (var option in arguments.All)
        {
            command.Options.Add(option);
        }

        command.SetAction(async (parsed, cancellation) => await RunAsync(arguments, parsed, terminal, cancellation).ConfigureAwait(false));
        Examples.Add(
            command,
            ("fed client --run heart --data ward-7", "train on the tables in the folder ward-7, for a coordinator on this machine"),
            ("fed client --server https://fl.example.org:8443 --ca ca.crt --token TOKEN --run heart --data ward-7", "the same, for one elsewhere"),
            ("fed client --run heart --data ward-7 --trust shuffle --max-report-epsilon 4 --max-epsilon 2 --shuffler sha256:1f2e…", "only if a shuffler that the ward trusts stands between, and the run costs it ε = 2 at most"),
            ("fed client --run mnist --experiment experiments/mnist.yaml --index 3", "play the part of client 3 of an experiment"),
            ("fed client --run mnist --count 100 --in-order", "all hundred of them, in one process"));
        return command;
    }

    private static async Task<int> RunAsync(ClientArguments arguments, ParseResult parsed, Terminal terminal, CancellationToken cancellation)
    {
        var count = parsed.GetValue(arguments.Count);
        var (data, experiment) = (parsed.GetValue(arguments.Data), parsed.GetValue(arguments.Experiment));
        if (count < 1 || parsed.GetValue(arguments.Index) < 0)
        {
            throw new CommandException(ExitCodes.Usage, "--count must be 1 or more, and --index 0 or more.");
        }

        if (data is not null && (experiment is not null || count > 1))
        {
            throw new CommandException(ExitCodes.Usage, "--data is one client's own data; --experiment and --count are for shards of an experiment's. Give one of them.");
        }

        if (data is not null && !Directory.Exists(data))
        {
            throw new CommandException(ExitCodes.Data, $"There is no folder {Path.GetFullPath(data)}; --data needs one with this client's examples.");
        }

        var reports = !parsed.GetValue(arguments.Json) && !parsed.GetValue(arguments.Quiet);
        var tally = new ClientTally(reports && count > 1 ? terminal.Out : null, terminal.Clock, count);
        using var gate = new SemaphoreSlim(Math.Max(1, parsed.GetValue(arguments.Threads) is > 0 and var asked ? asked : System.Environment.ProcessorCount));
        using var cache = new MemoryModelCache(CacheBytes);
        var http = Connection(arguments, parsed);
        using var handler = HttpTransport.CreateHandler(http);
        await CheckReachAsync(http, handler, parsed.GetValue(arguments.ServerFile) is null, cancellation).ConfigureAwait(false);
        var shards = new SharedShards(parsed.GetValue(arguments.DataDirectory)!);
        if (experiment is not null)
        {
            var configuration = RunCommand.Valid(ConfigurationFile.Load<ExperimentConfiguration>(experiment));
            shards.Load(configuration.Data ?? throw new CommandException(ExitCodes.Usage, $"{experiment} has no data section to take a shard of."), configuration.Seed);
        }

        var trainer = arguments.TrainerOf(parsed);
        var trainers = new ManagedTrainers(TrainerEngines.Find(trainer, Engines.Trainers), trainer);
        var sessions = new List<Task<SessionSummary>>();
        for (var i = 0; i < count; i++)
        {
            var index = parsed.GetValue(arguments.Index) + i;
            var name = parsed.GetValue(arguments.Name) ?? (data is null ? string.Create(CultureInfo.InvariantCulture, $"shard-{index:D5}") : Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(data))));
            var first = new FirstReply(count > 1 ? tally : new Both(tally, reports ? new ClientLines(terminal.Out, terminal.Clock, "") : tally));
            var options = OptionsOf(arguments, parsed, name, index, gate, first);
            var ownTrainer = new ManagedTrainer(trainers, data is null ? new ShardData(shards, index) : new FolderData(data), data is null ? null : new FolderAnswers(data));
            var session = TakePartAsync(
                options, new HttpTransport(http, terminal.Clock, handler, ownsHandler: false), StoreOf(parsed.GetValue(arguments.State), options.Run, name, count, cache, terminal.Clock), ownTrainer, terminal.Clock, cancellation);
            sessions.Add(session);
            if (parsed.GetValue(arguments.InOrder))
            {
                await Task.WhenAny(first.Came, session).ConfigureAwait(false);
            }
        }

        return Conclude(await Task.WhenAll(sessions).ConfigureAwait(false), tally, parsed.GetValue(arguments.Json), terminal);
    }

    private static async Task<SessionSummary> TakePartAsync(
        FederatedClientOptions options, HttpTransport transport, IClientStore store, ManagedTrainer trainer, TimeProvider clock, CancellationToken cancellation)
    {
        await using var client = new FederatedClient(options, transport, store, clock);
        return await client.RunAsync(trainer, cancellation).ConfigureAwait(false);
    }

    private static HttpTransportOptions Connection(ClientArguments arguments, ParseResult parsed)
    {
        var endpoints = parsed.GetValue(arguments.ServerFile) is { } file
            ? Endpoints.FromFile(file)
            : Endpoints.Of([.. parsed.GetValue(arguments.Server)!.SelectMany(text => text.Split(',')).Select(Address)]);
        return new HttpTransportOptions
        {
            Endpoints = endpoints,
            TrustedRoots = parsed.GetValue(arguments.Authority) is { } authority ? Pem.Roots(authority) : null,
            ClientCertificate = parsed.GetValue(arguments.Certificate) is { } certificate ? Pem.Certificate(certificate, parsed.GetValue(arguments.Key)) : null,
        };
    }

    /// <summary>A coordinator that is away may come; one whose certificate is not trusted, or that speaks no TLS, is a mistake to tell at once.</summary>
    private static async Task CheckReachAsync(HttpTransportOptions options, HttpMessageHandler handler, bool isFixed, CancellationToken cancellation)
    {
        var addresses = isFixed ? await options.Endpoints.ResolveAsync(cancellation).ConfigureAwait(false) : [];
        if (addresses is not [var only])
        {
            return; // Of several, another one may do.
        }

        using var probe = new HttpClient(handler, disposeHandler: false) { Timeout = ReachPatience };
        try
        {
            using var answer = await probe.GetAsync(new Uri(only, "/healthz"), HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (ConnectionFailures.IsLasting(only, e))
        {
            throw new CommandException(ExitCodes.Environment, ConnectionFailures.Describe(only, e));
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            // The session tells it, and tries again.
        }
    }

    private static Uri Address(string text) => Uri.TryCreate(text.Trim(), UriKind.Absolute, out var address)
        ? address
        : throw new CommandException(ExitCodes.Usage, $"'{text}' is no address; it must look like https://host:port.");

    private static FederatedClientOptions OptionsOf(ClientArguments arguments, ParseResult parsed, string name, int index, SemaphoreSlim gate, FirstReply first)
    {
        var token = arguments.TokenOf(parsed)
            ?? parsed.GetValue(arguments.Server)!.Select(text => LocalCoordinator.Find(Address(text.Split(',')[0]))?.EnrolmentToken).FirstOrDefault(t => t is not null);
        return new FederatedClientOptions
        {
            Run = parsed.GetValue(arguments.Run)!,
            Name = name,
            EnrolmentToken = token ?? "",
            Participation = ClientArguments.Policy(parsed.GetValue(arguments.When)!, SeededRandom.Derive((ulong)index, "participation")),
            Privacy = arguments.PrivacyOf(parsed),
            Observer = first,
            FirstPoll = parsed.GetValue(arguments.InOrder) ? TimeSpan.Zero : null,
            MaxUpdates = parsed.GetValue(arguments.MaxUpdates),
            ComputeGate = gate,
        };
    }

    private static IClientStore StoreOf(string? state, string run, string name, int count, MemoryModelCache cache, TimeProvider clock)
    {
        if (count > 1 && state is null)
        {
            return new MemoryClientStore(cache);
        }

        var folder = state is null
            ? Path.Combine(Path.GetDirectoryName(LocalCoordinator.Folder)!, "clients", $"{run}-{name}")
            : count > 1 ? Path.Combine(state, name) : state;
        return new FileClientStore(folder, CacheBytes, clock);
    }

    private static int Conclude(SessionSummary[] sessions, ClientTally tally, bool json, Terminal terminal)
    {
        var version = sessions.Max(s => s.FinalVersion);
        if (json)
        {
            Reporter.WriteJson(terminal, writer =>
            {
                writer.WriteStartObject();
                writer.WriteNumber("exit_code", Array.TrueForAll(sessions, s => s.IsPrivacyRefusal) ? ExitCodes.RunFailed : ExitCodes.Success);
                writer.WriteNumber("privacy_refusals", sessions.Count(s => s.IsPrivacyRefusal));
                writer.WriteNumber("clients", sessions.Length);
                writer.WriteNumber("accepted", sessions.Sum(s => s.Accepted));
                writer.WriteNumber("rejected", sessions.Sum(s => s.Rejected));
                writer.WriteNumber("given_up", sessions.Sum(s => s.GivenUp));
                writer.WriteNumber("requests_repeated", tally.Retries);
                writer.WriteString("last_problem", tally.LastProblem);
                writer.WriteStartObject("problems");
                foreach (var (kind, times) in tally.Problems)
                {
                    writer.WriteNumber(kind, times);
                }

                writer.WriteEndObject();
                if (version is { } final)
                {
                    writer.WriteNumber("final_version", final);
                }

                writer.WriteString("reason", sessions[0].Reason);
                writer.WriteEndObject();
            });
            return Array.TrueForAll(sessions, s => s.IsPrivacyRefusal) ? ExitCodes.RunFailed : ExitCodes.Success;
        }

        if (sessions.FirstOrDefault(s => s.IsPrivacyRefusal) is { } refused)
        {
            terminal.Error.WriteLine($"fed: {refused.Reason}.{(sessions.Length > 1 ? $" So it is for {sessions.Count(s => s.IsPrivacyRefusal)} of {sessions.Length} clients." : "")}");
        }

        terminal.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Done: {sessions[0].Reason.TrimEnd('.')}{(version is { } v && !sessions[0].Reason.Contains($"ersion {v} ", StringComparison.Ordinal) ? $" (version {v})" : "")}. {sessions.Sum(s => s.Accepted)} updates accepted, {sessions.Sum(s => s.Rejected)} refused, {sessions.Sum(s => s.GivenUp)} assignments given up."));
        return Array.TrueForAll(sessions, s => s.IsPrivacyRefusal) ? ExitCodes.RunFailed : ExitCodes.Success;
    }

    private sealed class Both(IClientObserver first, IClientObserver second) : IClientObserver
    {
        public void On(ClientEvent happened)
        {
            first.On(happened);
            if (second != first)
            {
                second.On(happened);
            }
        }
    }
}

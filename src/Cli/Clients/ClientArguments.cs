using System.CommandLine;
using System.Globalization;
using Federated.Aggregation.Randomness;
using Federated.Cli.Commands;
using Federated.Client.Participation;
using Federated.Client.Privacy;
using Federated.Protocol.Local;
using Federated.Simulation.Configuration;
using Federated.Training.LocalTraining;

namespace Federated.Cli.Clients;

/// <summary>The options of <c>fed client</c>.</summary>
internal sealed class ClientArguments
{
    public Option<string[]> Server { get; } = new("--server", "--url", "-u")
    {
        Description = $"The coordinator; several are tried in turn. The default is $FED_URL, else {LocalCoordinator.DefaultUrl}.",
        HelpName = "URL",
        DefaultValueFactory = _ => [Setting("FED_URL") ?? LocalCoordinator.DefaultUrl],
    };

    public Option<string?> ServerFile { get; } = new("--server-file")
    {
        Description = "A file with an address per line, read again whenever the coordinator does not answer: for one that moves.",
        HelpName = "FILE",
    };

    public Option<string> Run { get; } = new("--run") { Description = "The run to take part in.", HelpName = "RUN", Required = true };

    public Option<string?> Data { get; } = new("--data")
    {
        Description = "This client's own data: a folder with CSV files (a header, and a column 'label'), IDX files, or a data.yaml that describes them.",
        HelpName = "DIR",
    };

    public Option<string?> Experiment { get; } = new("--experiment")
    {
        Description = "Take a shard of this experiment's data. Without it and --data the run's own data section is used.",
        HelpName = "FILE",
    };

    public Option<int> Index { get; } = new("--index") { Description = "Which shard, from 0.", HelpName = "i" };

    public Option<int> Count { get; } = new("--count")
    {
        Description = "Run so many clients in this process, with the shards from --index on; they share its cores and a cache of models.",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    public Option<bool> InOrder { get; } = new("--in-order")
    {
        Description = "Let each client join before the next one starts, so that client and shard have the same number, as under fed run.",
    };

    public Option<string?> Name { get; } = new("--name") { Description = "What people call this client. The default is its data folder's name, or its shard's number.", HelpName = "NAME" };

    public Option<string?> State { get; } = new("--state")
    {
        Description = "Where the client keeps its key, its models and what is not sent yet; one folder per client. The default is below ~/.federated/clients, or in memory with --count.",
        HelpName = "DIR",
    };

    public Option<string?> Token { get; } = new("--token")
    {
        Description = "The enrolment token that the operator gave out. The default is $FED_ENROL, else what a coordinator on this machine left for its user.",
        HelpName = "TOKEN", // No default value: --help would print it, and a token is a secret.
    };

    public Option<string?> Authority { get; } = new("--ca")
    {
        Description = "PEM file of the authority behind the coordinator's certificate. The default is $FED_CA, else those that the system trusts.",
        HelpName = "FILE",
        DefaultValueFactory = _ => Setting("FED_CA"),
    };

    public Option<string?> Certificate { get; } = new("--certificate") { Description = "PEM file of this client's certificate, for mutual TLS in place of a token.", HelpName = "FILE" };

    public Option<string?> Key { get; } = new("--key") { Description = "PEM file of its private key.", HelpName = "FILE" };

    public Option<string> When { get; } = new("--when")
    {
        Description = "When to take part: always, poisson:PER_HOUR, or daily:HH:MM-HH:MM.",
        HelpName = "POLICY",
        DefaultValueFactory = _ => ParticipationPolicies.Always,
    };

    public Option<string?> Privacy { get; } = new("--privacy")
    {
        Description = "YAML with what this client asks of the run's privacy (trust, maxEpsilon, maxReportEpsilon, lifetimeEpsilon, shufflers, analyses, …). A weaker run is refused, and nothing sent to it.",
        HelpName = "FILE",
    };

    public Option<string?> Trust { get; } = new("--trust") { Description = "Whom the run may ask this client to trust at most: anything, central, distributed, shuffle or local.", HelpName = "WHOM" };

    public Option<double?> MaxEpsilon { get; } = new("--max-epsilon") { Description = "The largest ε that the run may cost this client.", HelpName = "NUMBER" };

    public Option<double?> MaxReportEpsilon { get; } = new("--max-report-epsilon") { Description = "The largest ε₀ of one report.", HelpName = "NUMBER" };

    public Option<double?> LifetimeEpsilon { get; } = new("--lifetime-epsilon") { Description = "The largest ε that all runs together may cost this client, by the ledger in its --state.", HelpName = "NUMBER" };

    public Option<string[]> Shufflers { get; } = new("--shuffler") { Description = "A key of a shuffler that this client trusts (base64url, or sha256:HEX); may be given several times.", HelpName = "KEY" };

    public Option<int> MaxUpdates { get; } = new("--max-updates") { Description = "End after so many updates; 0 for when the run is over.", HelpName = "N" };

    public Option<int> Threads { get; } = new("--threads") { Description = "Clients of this process that train at once; 0 for one per core.", HelpName = "N" };

    public Option<string> Trainer { get; } = new("--trainer")
    {
        Description = "What computes here: managed, or torch in a build with TorchSharp. Each client chooses for itself.",
        HelpName = "NAME",
        DefaultValueFactory = _ => TrainerKinds.Managed,
    };

    public Option<string> Device { get; } = new("--device")
    {
        Description = "Where torch computes: cpu, cuda, or cuda:N.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "cpu",
    };

    public Option<string> DataDirectory { get; } = ExperimentOptions.DataDirectoryOption();

    public Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "Only errors and the end." };

    public Option<bool> Json { get; } = ExperimentOptions.JsonOption();

    public IEnumerable<Option> All =>
        [Server, ServerFile, Run, Data, Experiment, Index, Count, InOrder, Name, State, Token, Authority, Certificate, Key, When, Privacy, Trust, MaxEpsilon, MaxReportEpsilon, LifetimeEpsilon, Shufflers, MaxUpdates, Threads, Trainer, Device, DataDirectory, Quiet, Json];

    /// <summary>What <c>--privacy</c> and the options beside it ask for; null when none is given.</summary>
    public PrivacyRequirements? PrivacyOf(ParseResult parsed)
    {
        var sets = new List<string>();
        void Set(string name, object? value)
        {
            if (value is not null)
            {
                sets.Add(string.Create(CultureInfo.InvariantCulture, $"{name}={value}"));
            }
        }

        Set("trust", parsed.GetValue(Trust));
        Set("maxEpsilon", parsed.GetValue(MaxEpsilon));
        Set("maxReportEpsilon", parsed.GetValue(MaxReportEpsilon));
        Set("lifetimeEpsilon", parsed.GetValue(LifetimeEpsilon));
        var (file, shufflers) = (parsed.GetValue(Privacy), parsed.GetValue(Shufflers) ?? []);
        if (file is null && sets.Count == 0 && shufflers.Length == 0)
        {
            return null;
        }

        var read = file is null ? ConfigurationFile.Read<PrivacyRequirements>("{}", "the command line", sets) : ConfigurationFile.Load<PrivacyRequirements>(file, sets);
        return !read.IsValid ? throw new CommandException(ExitCodes.Usage, string.Join('\n', read.Errors))
            : shufflers.Length > 0 ? read.Value with { Shufflers = [.. read.Value.Shufflers, .. shufflers] } : read.Value;
    }

    /// <summary>The trainer that <c>--trainer</c> and <c>--device</c> name.</summary>
    public TrainerOptions TrainerOf(ParseResult parsed)
    {
        var (name, device) = (parsed.GetValue(Trainer), parsed.GetValue(Device)!);
        return name switch
        {
            TrainerKinds.Managed when device == "cpu" => new ManagedTrainerOptions(),
            TrainerKinds.Managed => throw new CommandException(ExitCodes.Usage, $"The managed trainer computes on the CPU; for --device {device} give --trainer {TrainerKinds.Torch} as well."),
            TrainerKinds.Torch => new TorchTrainerOptions { Device = device },
            _ => throw new CommandException(ExitCodes.Usage, $"--trainer needs {TrainerKinds.Managed} or {TrainerKinds.Torch}; there is '{name}'."),
        };
    }

    /// <summary>The policy that <c>--when</c> names.</summary>
    public static IParticipationPolicy Policy(string text, SeededRandom random)
    {
        var parts = text.Split(':', 2);
        switch (parts)
        {
            case [ParticipationPolicies.Always]:
                return new AlwaysAvailable();
            case [ParticipationPolicies.Poisson, var rate] when double.TryParse(rate, NumberStyles.Float, CultureInfo.InvariantCulture, out var perHour) && perHour > 0:
                return new PoissonArrivals(perHour, random);
            case [ParticipationPolicies.Daily, var window] when window.Split('-') is [var from, var to]
                && TimeOnly.TryParseExact(from, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var begin)
                && TimeOnly.TryParseExact(to, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var end):
                return new DailySchedule(begin, end, TimeZoneInfo.Local);
            default:
                throw new CommandException(ExitCodes.Usage, $"--when needs always, poisson:PER_HOUR or daily:HH:MM-HH:MM; there is '{text}'.");
        }
    }

    /// <summary>The token that was given, or the environment's; null for neither.</summary>
    public string? TokenOf(ParseResult parsed) => parsed.GetValue(Token) ?? Setting("FED_ENROL");

    private static string? Setting(string name) => System.Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}

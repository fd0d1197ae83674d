using System.CommandLine;

namespace Federated.Cli.Commands;

/// <summary>The options that every verb which runs an experiment has.</summary>
internal sealed class ExperimentOptions
{
    public Option<string[]> Set { get; } = new("--set")
    {
        Description = "Change one value of the configuration; may be given several times. The value is YAML.",
        HelpName = "key.key=value",
        DefaultValueFactory = _ => [],
    };

    public Option<ulong?> Seed { get; } = new("--seed") { Description = "The seed of everything that is drawn; the same as --set seed=N.", HelpName = "N" };

    public Option<int?> Threads { get; } = new("--threads") { Description = "Worker threads, 0 for one per core. The results do not depend on it.", HelpName = "N" };

    public Option<string> DataDirectory { get; } = DataDirectoryOption();

    public Option<string?> Out { get; } = new("--out") { Description = "The results folder; what an earlier run left there is replaced. The default is a new one under results/.", HelpName = "DIR" };

    public Option<bool> NoUpdates { get; } = new("--no-updates") { Description = "Leave out updates.csv, which has a row per client update." };

    public Option<bool> Json { get; } = JsonOption();

    public Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "No progress, only the result." };

    public Option<int?> Dashboard { get; } = new("--dashboard")
    {
        Description = "Watch the run in a browser, on this machine: prints a link, and stays after the run until Ctrl-C. A number is the port; without one, a free port is taken.",
        HelpName = "PORT",
        Arity = System.CommandLine.ArgumentArity.ZeroOrOne,
    };

    public Option<double?> Pace { get; } = new("--pace")
    {
        Description = "At most so many virtual seconds per real second, to watch the dashboard at leisure; 0 for as fast as it goes. Results do not depend on it.",
        HelpName = "N",
    };

    public static Option<bool> JsonOption() => new("--json") { Description = "One JSON document on stdout instead of text." };

    public static Option<string> DataDirectoryOption() => new("--data-dir")
    {
        Description = "Where data sets stand, one folder each. The default is $FED_DATA_DIR, else the folder data.",
        HelpName = "DIR",
        DefaultValueFactory = _ => System.Environment.GetEnvironmentVariable("FED_DATA_DIR") is { Length: > 0 } folder ? folder : "data",
    };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[Set, Seed, Threads, DataDirectory, Out, NoUpdates, Dashboard, Pace, Quiet, Json])
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The port of the dashboard, 0 for a free one; null when none was asked for.</summary>
    public int? DashboardPort(ParseResult parsed) => parsed.GetResult(Dashboard) is null ? null : parsed.GetValue(Dashboard) ?? 0;

    /// <summary>The overrides, those with options of their own last: they are more particular.</summary>
    public IEnumerable<string> Overrides(ParseResult parsed)
    {
        var sets = parsed.GetValue(Set)!.AsEnumerable();
        if (parsed.GetValue(Seed) is { } seed)
        {
            sets = sets.Append(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"seed={seed}"));
        }

        if (parsed.GetValue(Threads) is { } threads)
        {
            sets = sets.Append(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"threads={threads}"));
        }

        return sets;
    }
}

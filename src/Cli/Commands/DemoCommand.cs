using System.CommandLine;
using Federated.Cli.Output;
using Federated.Simulation;
using Federated.Simulation.Configuration;

namespace Federated.Cli.Commands;

/// <summary><c>fed demo</c>: the experiment of experiments/demo.yaml, which is part of this program.</summary>
internal static class DemoCommand
{
    private const string Name = "demo.yaml";

    /// <summary>For the dashboard: fewer clients and FedCompass, whose work one can see.</summary>
    private const string Watched = "demo-compass.yaml";

    /// <summary>Virtual seconds per real second, so that the run lasts some minutes and eyes can follow.</summary>
    private const double WatchedPace = 6;

    public static Command Create(Terminal terminal)
    {
        var options = new ExperimentOptions();
        var command = new Command("demo", "Train on drawn digits across heterogeneous clients, in about a minute, without any download.");
        options.AddTo(command);
        command.SetAction(parsed =>
        {
            var isWatched = options.DashboardPort(parsed) is not null;
            var name = isWatched ? Watched : Name;
            var configuration = RunCommand.Valid(ConfigurationFile.Read<ExperimentConfiguration>(Text(name), name, options.Overrides(parsed)));
            return RunCommand.Run(configuration, options, parsed, terminal, isWatched ? WatchedPace : 0);
        });
        Examples.Add(
            command,
            ("fed demo", "train, watch, and open the report that it names at the end"),
            ("fed demo --dashboard", "watch FedCompass at work in a browser"),
            ("fed demo --seed 2 --set strategy.scheduler=synchronous", "the same clients in rounds"),
            ("fed demo --set run.stop.versions=10 --quiet", "a short one, in silence"));
        return command;
    }

    internal static string Text(string name = Name)
    {
        using var stream = typeof(DemoCommand).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

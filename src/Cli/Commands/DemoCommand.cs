using System.CommandLine;
using Federated.Cli.Output;
using Federated.Simulation;
using Federated.Simulation.Configuration;

namespace Federated.Cli.Commands;

/// <summary><c>fed demo</c>: the experiment of experiments/demo.yaml, which is part of this program.</summary>
internal static class DemoCommand
{
    public static Command Create(Terminal terminal)
    {
        var options = new ExperimentOptions();
        var command = new Command("demo", "Train on drawn digits across heterogeneous clients, in about a minute, without any download.");
        options.AddTo(command);
        command.SetAction(parsed => RunCommand.Run(
            RunCommand.Valid(ConfigurationFile.Read<ExperimentConfiguration>(Text(), "demo.yaml", options.Overrides(parsed))), options, parsed, terminal));
        Examples.Add(
            command,
            ("fed demo", "train, watch, and open the report that it names at the end"),
            ("fed demo --seed 2 --set strategy.scheduler=synchronous", "the same clients in rounds"),
            ("fed demo --set run.stop.versions=10 --quiet", "a short one, in silence"));
        return command;
    }

    internal static string Text()
    {
        using var stream = typeof(DemoCommand).Assembly.GetManifestResourceStream("demo.yaml")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

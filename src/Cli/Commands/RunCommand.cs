using System.CommandLine;
using Federated.Cli.Output;
using Federated.Simulation;
using Federated.Simulation.Configuration;
using Federated.Simulation.Configuration.Binding;

namespace Federated.Cli.Commands;

/// <summary><c>fed run FILE</c>.</summary>
internal static class RunCommand
{
    public static Command Create(Terminal terminal)
    {
        var file = new Argument<string>("file") { Description = "The experiment, a YAML file; its schema is experiments/schema.json." };
        var check = new Option<bool>("--check") { Description = "Only check the configuration and the data, and print the configuration with every default." };
        var options = new ExperimentOptions();
        var command = new Command("run", "Run an experiment and write its results.") { file, check };
        options.AddTo(command);
        command.SetAction(parsed =>
        {
            var configuration = Valid(ConfigurationFile.Load<ExperimentConfiguration>(parsed.GetValue(file)!, options.Overrides(parsed)));
            if (parsed.GetValue(check))
            {
                terminal.Out.Write(ConfigWriter.Write(Experiment.Prepare(configuration, parsed.GetValue(options.DataDirectory)!, Engines.Trainers).Configuration));
                return ExitCodes.Success;
            }

            return Run(configuration, options, parsed, terminal);
        });
        Examples.Add(
            command,
            ("fed run experiments/mnist/fedavg-mlp.yaml --data-dir ~/data", "run an experiment on files that are there"),
            ("fed run experiments/demo.yaml --set 'strategy.scheduler={kind: buffered, concurrency: 20}' --seed 7 --out results/async", "with another scheduler and seed"),
            ("fed run my.yaml --dashboard", "watch it in a browser"),
            ("fed run my.yaml --check", "say what is wrong with a file, or what it resolves to, without running it"),
            ("fed run my.yaml --json | jq .summary.final_accuracy", "for scripts"));
        return command;
    }

    public static int Run(ExperimentConfiguration configuration, ExperimentOptions options, ParseResult parsed, Terminal terminal, double pace = 0) =>
        new RunSession(terminal, parsed.GetValue(options.Json), parsed.GetValue(options.Quiet), options.DashboardPort(parsed), parsed.GetValue(options.Pace) ?? pace).Run(
            configuration, parsed.GetValue(options.DataDirectory)!, parsed.GetValue(options.Out), !parsed.GetValue(options.NoUpdates));

    /// <exception cref="CommandException">With every error, where there are some.</exception>
    public static ExperimentConfiguration Valid(ConfigResult<ExperimentConfiguration> result) =>
        result.IsValid ? result.Value : throw new CommandException(ExitCodes.Usage, result.Errors.Select(error => error.ToString()));
}

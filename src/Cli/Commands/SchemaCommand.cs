using System.CommandLine;
using Federated.Cli.Output;
using Federated.Simulation;
using Federated.Simulation.Configuration.Binding;

namespace Federated.Cli.Commands;

/// <summary><c>fed schema</c>: the JSON schema of experiment files, as published at experiments/schema.json.</summary>
internal static class SchemaCommand
{
    public const string Id = "https://federated.invalid/experiments/schema.json";

    public static Command Create(Terminal terminal)
    {
        var command = new Command("schema", "Print the JSON schema of experiment files, for editors.");
        command.SetAction(_ =>
        {
            terminal.Out.Write(Text());
            return ExitCodes.Success;
        });
        Examples.Add(command, ("fed schema > schema.json", "then begin a YAML file with: # yaml-language-server: $schema=schema.json"));
        return command;
    }

    internal static string Text() => JsonSchemaWriter.Write(typeof(ExperimentConfiguration), Id, "Federated experiment");
}

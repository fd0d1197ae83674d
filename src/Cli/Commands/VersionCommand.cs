using System.CommandLine;
using System.Numerics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Federated.Cli.Output;
using Federated.Privacy.Hpke;

namespace Federated.Cli.Commands;

/// <summary><c>fed version</c>: what a bug report needs.</summary>
internal static class VersionCommand
{
    public static Command Create(Terminal terminal)
    {
        var json = ExperimentOptions.JsonOption();
        var command = new Command("version", "Print the version, the runtime and the machine.") { json };
        command.SetAction(parsed =>
        {
            var facts = Facts();
            if (parsed.GetValue(json))
            {
                Reporter.WriteJson(terminal, writer =>
                {
                    writer.WriteStartObject();
                    foreach (var (name, value) in facts)
                    {
                        writer.WriteString(name, value);
                    }

                    writer.WriteEndObject();
                });
            }
            else
            {
                terminal.Out.WriteLine(string.Join(System.Environment.NewLine, facts.Select(fact => $"{fact.Name} {fact.Value}")));
            }

            return ExitCodes.Success;
        });
        Examples.Add(command, ("fed version", "for people"), ("fed version --json", "for scripts"));
        return command;
    }

    private static (string Name, string Value)[] Facts() =>
    [
        ("fed", typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown"),
        ("runtime", RuntimeInformation.FrameworkDescription),
        ("system", $"{RuntimeInformation.OSDescription} {RuntimeInformation.ProcessArchitecture}"),
        ("cores", System.Environment.ProcessorCount.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        ("envelopes", Hpke.CurveInUse),
        ("vectors", $"{(Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector<byte>.Count * 8)} bits"),
    ];
}

using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Federated.Cli.Output;

/// <summary>Examples under a verb's help.</summary>
internal static class Examples
{
    public static void Add(Command command, params (string Line, string Says)[] examples)
    {
        // A verb has no help option of its own; one that it has wins over the root's.
        var help = command.Options.OfType<HelpOption>().FirstOrDefault();
        if (help is null)
        {
            help = new HelpOption();
            command.Options.Add(help);
        }

        help.Action = new HelpWithExamples((HelpAction)help.Action!, examples);
    }

    private sealed class HelpWithExamples(HelpAction inner, (string Line, string Says)[] examples) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            inner.Invoke(parseResult);
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var (line, says) in examples)
            {
                output.WriteLine($"  {line}");
                output.WriteLine($"      {says}");
            }

            output.WriteLine();
            return ExitCodes.Success;
        }
    }
}

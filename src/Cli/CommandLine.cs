using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Federated.Aggregation;
using Federated.Cli.Clients;
using Federated.Cli.Commands;
using Federated.Cli.Output;
using Federated.Cli.Privacy;
using Federated.Cli.Serving;
using Federated.Client;
using Federated.Coordinator;
using Federated.Coordinator.Identity;
using Federated.Coordinator.Storage;
using Federated.Privacy;
using Federated.Simulation;
using Federated.Simulation.Configuration.Binding;
using Federated.Training;

namespace Federated.Cli;

/// <summary>The <c>fed</c> command: parses, runs the verb, and turns whatever goes wrong into a message and an exit code.</summary>
public static class CommandLine
{
    public static async Task<int> InvokeAsync(IReadOnlyList<string> arguments, Terminal terminal)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        ArgumentNullException.ThrowIfNull(terminal);
        var root = Build(terminal);
        var parsed = root.Parse(arguments);
        var reporter = new Reporter(terminal, arguments.Contains("--json"));
        if (parsed.Action is ParseErrorAction || Misspelt(parsed).Any())
        {
            return parsed.CommandResult.Command is { Subcommands.Count: > 0 } && arguments.Count == 0
                ? ShowHelp(root, terminal)
                : reporter.Fail(ExitCodes.Usage, Explain(parsed), $"See {HelpOf(parsed)}.");
        }

        var invocation = new InvocationConfiguration
        {
            Output = terminal.Out,
            Error = terminal.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null, // The terminal handles Ctrl-C: results must be written before the process ends.
        };
        try
        {
            return await parsed.InvokeAsync(invocation, terminal.Interrupted);
        }
        catch (OperationCanceledException) when (terminal.Interrupted.IsCancellationRequested)
        {
            return reporter.Fail(ExitCodes.Interrupted, ["Interrupted."]);
        }
        catch (CommandException problem)
        {
            return reporter.Fail(problem.ExitCode, problem.Messages);
        }
        catch (TrainingException problem)
        {
            return reporter.Fail(ExitCodes.Data, [problem.Message]);
        }
        catch (Exception problem) when (problem is SimulationException or AggregationException or CoordinatorException or PrivacyException or ClientException or IdentityException)
        {
            return reporter.Fail(ExitCodes.Usage, [problem.Message]);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or OutOfMemoryException or StorageException)
        {
            return reporter.Fail(ExitCodes.Environment, [problem.Message]);
        }
        catch (Exception problem)
        {
            return reporter.Fail(ExitCodes.Defect, ["This is a defect of fed; please report it with the command and what follows.", problem.ToString()]);
        }
    }

    /// <summary>What is wrong with a command, without running it: for the tests of what the documentation shows.</summary>
    internal static IReadOnlyList<string> ProblemsOf(IReadOnlyList<string> arguments, Terminal terminal)
    {
        var parsed = Build(terminal).Parse(arguments);
        return parsed.Action is ParseErrorAction || Misspelt(parsed).Any() ? [.. Explain(parsed)] : [];
    }

    private static RootCommand Build(Terminal terminal)
    {
        var root = new RootCommand("Federated learning: simulate thousands of heterogeneous clients in virtual time, and look at what came out.")
        {
            DemoCommand.Create(terminal),
            RunCommand.Create(terminal),
            ViewCommand.Create(terminal),
            CompareCommand.Create(terminal),
            ClientCommand.Create(terminal),
            DataCommand.Create(terminal),
            SchemaCommand.Create(terminal),
            ServeCommand.Create(terminal),
            SiloCommand.Create(terminal),
            RunsCommand.Create(terminal),
            CredentialCommands.CreateTokens(terminal),
            CredentialCommands.CreateClients(terminal),
            ShufflerCommand.Create(terminal),
            ShufflersCommand.Create(terminal),
            PkiCommand.Create(terminal),
            PrivacyCommand.Create(terminal),
            VersionCommand.Create(terminal),
        };
        foreach (var option in root.Options.OfType<VersionOption>().ToList())
        {
            root.Options.Remove(option); // "fed version" says more, and as JSON.
        }

        Examples.Add(
            root,
            ("fed demo", "train on drawn digits across heterogeneous clients, and write a report"),
            ("fed run experiments/demo.yaml --set run.stop.versions=20", "run an experiment, with a change"),
            ("fed compare results/a results/b", "overlay two runs"));
        return root;
    }

    private static int ShowHelp(RootCommand root, Terminal terminal)
    {
        root.Parse("--help").Invoke(new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error });
        return ExitCodes.Usage;
    }

    // The parser takes an option that it does not know for an argument; nobody names a file "--threds".
    private static IEnumerable<string> Misspelt(ParseResult parsed) =>
        parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
            .Where(token => token.Type == TokenType.Argument && token.Value.StartsWith("--", StringComparison.Ordinal) && !IsValue(parsed, token)).Select(token => token.Value);

    // What follows an option belongs to it, whatever it looks like.
    private static bool IsValue(ParseResult parsed, Token token) =>
        parsed.CommandResult.Children.OfType<OptionResult>().Any(option => option.Tokens.Any(value => ReferenceEquals(value, token)));

    // An unknown word makes the parser miss a verb or an argument as well; one message with a guess says more than two.
    private static IEnumerable<string> Explain(ParseResult parsed)
    {
        var unknown = Misspelt(parsed).ToList();
        unknown = unknown.Count > 0 ? unknown : [.. parsed.UnmatchedTokens];
        if (unknown.Count == 0)
        {
            return parsed.Errors.Select(Describe);
        }

        var command = parsed.CommandResult.Command;
        var known = command.Subcommands.Select(c => c.Name).Concat(command.Options.Select(o => o.Name));
        return unknown.Select(token =>
        {
            var near = Spelling.Nearest(token, known);
            return near.Count == 0 ? $"'{token}' is not understood here." : $"'{token}' is not understood here; did you mean {string.Join(" or ", near)}?";
        });
    }

    // The parser's own words name a type of the runtime.
    private static string Describe(ParseError error)
    {
        if (error.SymbolResult is ArgumentResult { Tokens.Count: 0 } missing)
        {
            return $"<{missing.Argument.Name}> is missing: {missing.Argument.Description}";
        }

        if (error.SymbolResult is OptionResult { Tokens.Count: 0, Implicit: false, Option: var option })
        {
            return $"{option.Name} needs a value{(option.HelpName is { } form ? $" ({form})" : "")}: {option.Description}";
        }

        if (error.SymbolResult is not OptionResult { Tokens: [var value] } given)
        {
            return error.Message;
        }

        var type = Nullable.GetUnderlyingType(given.Option.ValueType) ?? given.Option.ValueType;
        var needed = type == typeof(ulong) ? "a whole number of 0 or more" : type == typeof(int) || type == typeof(long) ? "a whole number" : type == typeof(double) ? "a number" : null;
        return needed is null ? error.Message : $"{given.Option.Name} needs {needed}; there is '{value.Value}'.";
    }

    private static string HelpOf(ParseResult parsed)
    {
        var verbs = new List<string>();
        for (var result = parsed.CommandResult; result is { Command: not RootCommand }; result = result.Parent as CommandResult)
        {
            verbs.Insert(0, result.Command.Name);
        }

        return string.Join(' ', verbs.Prepend("fed").Append("--help"));
    }
}

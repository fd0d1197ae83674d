using System.CommandLine;
using System.Text;
using Federated.Cli.Output;
using Federated.Simulation.Reports;
using Federated.Simulation.Results;
using Spectre.Console;

namespace Federated.Cli.Commands;

/// <summary><c>fed compare DIR...</c>.</summary>
internal static class CompareCommand
{
    public static Command Create(Terminal terminal)
    {
        var folders = new Argument<string[]>("folder") { Description = "Results folders of runs.", Arity = ArgumentArity.OneOrMore };
        var file = new Option<string>("--out") { Description = "The page to write.", HelpName = "FILE", DefaultValueFactory = _ => "comparison.html" };
        var json = ExperimentOptions.JsonOption();
        var command = new Command("compare", "Overlay runs by round, virtual time, bytes and ε: a table here, and a page.") { folders, file, json };
        command.SetAction(parsed => Compare(parsed.GetValue(folders)!, parsed.GetValue(file)!, parsed.GetValue(json), terminal));
        Examples.Add(
            command,
            ("fed compare results/demo results/demo-2", "two runs, and comparison.html"),
            ("fed compare results/* --out all.html", "all there are"),
            ("fed compare results/a results/b --json", "for scripts"));
        return command;
    }

    private static int Compare(string[] folders, string file, bool json, Terminal terminal)
    {
        var (runs, problems) = (new List<RecordedRun>(), new List<string>());
        foreach (var folder in folders)
        {
            if (RecordedRun.TryRead(folder, out var run, out var problem))
            {
                runs.Add(run);
            }
            else
            {
                problems.Add(problem);
            }
        }

        if (problems.Count > 0)
        {
            throw new CommandException(ExitCodes.Usage, problems);
        }

        try
        {
            File.WriteAllText(file, ComparisonReport.Render(runs), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        }
        catch (Exception reason) when (reason is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new CommandException(ExitCodes.Environment, $"The page {file} cannot be written: {reason.Message} Name another with --out.");
        }

        if (json)
        {
            WriteJson(runs, file, terminal);
        }
        else
        {
            WriteTable(runs, terminal);
            terminal.Out.WriteLine($"Page: {Path.GetFullPath(file)}");
        }

        return ExitCodes.Success;
    }

    private static void WriteTable(List<RecordedRun> runs, Terminal terminal)
    {
        var (header, rows) = ComparisonReport.Table(runs);
        if (!terminal.IsLive)
        {
            PlainTable.Write(terminal.Out, header, rows);
            return;
        }

        var table = new Table { Border = TableBorder.Rounded };
        foreach (var (name, i) in header.Select((name, i) => (name, i)))
        {
            table.AddColumn(new TableColumn($"[grey]{Markup.Escape(name)}[/]") { Alignment = i < 2 ? Justify.Left : Justify.Right });
        }

        foreach (var row in rows)
        {
            table.AddRow([.. row.Select(Markup.Escape)]);
        }

        terminal.Ansi.Write(table);
    }

    private static void WriteJson(List<RecordedRun> runs, string file, Terminal terminal) => Reporter.WriteJson(terminal, writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("page", Path.GetFullPath(file));
        writer.WriteStartArray("runs");
        foreach (var run in runs)
        {
            writer.WriteStartObject();
            writer.WriteString("folder", Path.GetFullPath(run.Path));
            writer.WriteBoolean("partial", run.IsPartial);
            writer.WritePropertyName("summary");
            if (run.Summary is { } summary)
            {
                SummaryFile.Write(summary, writer);
            }
            else
            {
                writer.WriteNullValue();
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });
}

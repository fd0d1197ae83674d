using System.CommandLine;
using Federated.Cli.Commands;
using Federated.Cli.Output;
using Federated.Simulation;
using Federated.Simulation.Studies;

namespace Federated.Cli.Privacy;

/// <summary><c>fed privacy study</c>: numerical experiments on the library, as tables over seeds.</summary>
internal static class StudyCommand
{
    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = $"One of {PrivacyStudies.Names}." };
        var seeds = new Option<int>("--seeds") { Description = "Seeds 1 … COUNT; the table shows their mean ± standard deviation.", HelpName = "COUNT", DefaultValueFactory = _ => 3 };
        var largest = new Option<long>("--largest") { Description = "Leave out sizes (users, steps) above this.", HelpName = "COUNT", DefaultValueFactory = _ => 0 };
        var folder = new Option<string?>("--out") { Description = "Also write rows.csv and summary.csv into this folder.", HelpName = "DIR" };
        var data = ExperimentOptions.DataDirectoryOption();
        var json = Shared.Json();
        var command = new Command("study", "Numerical experiments on privacy: shuffled optimisation, counting under observation, asynchronous ledgers, words, poisoning, bandits, regression.") { name, seeds, largest, folder, data, json };
        command.SetAction((parsed, cancellation) => Task.FromResult(Run(
            terminal, parsed.GetValue(name)!, parsed.GetValue(seeds), parsed.GetValue(largest), parsed.GetValue(folder), parsed.GetValue(data)!, parsed.GetValue(json), cancellation)));
        Examples.Add(
            command,
            ("fed privacy study async-ledger", "what clients spend when speed decides who takes part"),
            ("fed privacy study continual-counter --seeds 5 --out results/counter", "with the numbers of every seed in files"),
            ("fed privacy study heavy-hitters --data-dir ~/data", "frequent words of plays, from one private report a word"),
            ("fed privacy study shuffle-sco --largest 16384 --json", "the smaller sizes only, for a script"));
        return command;
    }

    private static int Run(Terminal terminal, string name, int seeds, long largest, string? folder, string data, bool json, CancellationToken cancellation)
    {
        var study = PrivacyStudies.All.FirstOrDefault(s => s.Name == name)
            ?? throw new CommandException(ExitCodes.Usage, $"There is no study '{name}'; there are {PrivacyStudies.Names}.");
        if (seeds < 1 || largest < 0)
        {
            throw new CommandException(ExitCodes.Usage, $"--seeds must be 1 or more and --largest 0 or more; there are {seeds} and {largest}.");
        }

        var rows = new List<(ulong Seed, StudyRow Row)>();
        try
        {
            for (var seed = 1; seed <= seeds; seed++)
            {
                rows.AddRange(study.Run(new StudyInput((ulong)seed, largest, data), cancellation).Select(row => ((ulong)seed, row)));
            }
        }
        catch (SimulationException missing)
        {
            throw new CommandException(ExitCodes.Environment, missing.Message);
        }

        if (rows.Count == 0)
        {
            throw new CommandException(ExitCodes.Usage, $"Every size of {name} is above --largest {largest}; nothing was computed.");
        }

        var summaries = StudySummary.Of(rows);
        if (folder is not null)
        {
            Save(study, rows, summaries, folder);
        }

        if (json)
        {
            WriteJson(terminal, study, summaries);
            return ExitCodes.Success;
        }

        terminal.Out.WriteLine($"{study.Description} Mean ± standard deviation over {seeds} seeds.");
        terminal.Out.WriteLine();
        PlainTable.Write(
            terminal.Out,
            [.. study.SettingColumns, .. study.ValueColumns],
            [.. summaries.Select(s => (IReadOnlyList<string>)[.. s.Settings, .. s.Means.Zip(s.Deviations, Show)])],
            words: study.SettingColumns.Count);
        if (folder is not null)
        {
            terminal.Out.WriteLine();
            terminal.Out.WriteLine($"Numbers of every seed: {Path.Combine(folder, "rows.csv")}");
        }

        return ExitCodes.Success;
    }

    private static void Save(Study study, IReadOnlyList<(ulong Seed, StudyRow Row)> rows, IReadOnlyList<StudySummary> summaries, string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            StudySummary.WriteRows(Path.Combine(folder, "rows.csv"), study, rows);
            StudySummary.WriteSummaries(Path.Combine(folder, "summary.csv"), study, summaries);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCodes.Environment, $"The results cannot be written to {folder}: {problem.Message}");
        }
    }

    /// <summary>What is the same for all seeds but for rounding has no deviation.</summary>
    private static string Show(double mean, double deviation) => deviation <= 1e-9 * Math.Abs(mean) ? $"{mean:G4}" : $"{mean:G4} ± {deviation:G2}";

    private static void WriteJson(Terminal terminal, Study study, IReadOnlyList<StudySummary> summaries) => Reporter.WriteJson(terminal, writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("study", study.Name);
        writer.WriteStartArray("rows");
        foreach (var summary in summaries)
        {
            writer.WriteStartObject();
            foreach (var (column, setting) in study.SettingColumns.Zip(summary.Settings))
            {
                writer.WriteString(column, setting);
            }

            writer.WriteNumber("seeds", summary.Seeds);
            foreach (var (column, mean, deviation) in study.ValueColumns.Zip(summary.Means, summary.Deviations))
            {
                writer.WriteNumber(column, mean);
                writer.WriteNumber(column + "_sd", deviation);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });
}

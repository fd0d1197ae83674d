using System.CommandLine;
using Federated.Cli.Output;
using Federated.Simulation.Reports;
using Federated.Training;
using Federated.Training.Data.Sets;
using Spectre.Console;

namespace Federated.Cli.Commands;

/// <summary><c>fed data list</c> and <c>fed data get NAME</c>.</summary>
internal static class DataCommand
{
    public static Command Create(Terminal terminal)
    {
        var command = new Command("data", "The data sets that a name is enough for.") { List(terminal), Get(terminal) };
        Examples.Add(
            command,
            ("fed data list", "what there is, with size, licence and source"),
            ("fed data get mnist", "download a set into the data folder, and verify it"));
        return command;
    }

    private static Command List(Terminal terminal)
    {
        var (folder, json) = (ExperimentOptions.DataDirectoryOption(), ExperimentOptions.JsonOption());
        var command = new Command("list", "List the known data sets, and which of them are in the data folder.") { folder, json };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(json))
            {
                WriteJson(parsed.GetValue(folder)!, terminal);
            }
            else
            {
                WriteText(parsed.GetValue(folder)!, terminal);
            }

            return ExitCodes.Success;
        });
        Examples.Add(command, ("fed data list", "all sets"), ("fed data list --data-dir ~/data --json", "for scripts, about another folder"));
        return command;
    }

    private static Command Get(Terminal terminal)
    {
        var name = new Argument<string>("name") { Description = $"One of {KnownDataSets.Names}." };
        var (folder, json) = (ExperimentOptions.DataDirectoryOption(), ExperimentOptions.JsonOption());
        var command = new Command("get", "Download a data set and verify its checksums; an interrupted download continues.") { name, folder, json };
        command.SetAction((parsed, cancellation) => GetAsync(parsed.GetValue(name)!, parsed.GetValue(folder)!, parsed.GetValue(json), terminal, cancellation));
        Examples.Add(command, ("fed data get mnist", "into the folder data/mnist"), ("fed data get heart-disease --data-dir ~/data", "into another folder"));
        return command;
    }

    private static async Task<int> GetAsync(string name, string folder, bool json, Terminal terminal, CancellationToken cancellation)
    {
        var set = KnownDataSets.All.FirstOrDefault(s => s.Name == name)
            ?? throw new CommandException(ExitCodes.Usage, $"There is no data set '{name}'; there are {KnownDataSets.Names}.");
        if (set.IsGenerated)
        {
            throw new CommandException(ExitCodes.Usage, $"Data set '{name}' is generated when it is used; there is nothing to download.");
        }

        using var client = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        var downloader = new DataDownloader(client, terminal.Clock);
        try
        {
            if (terminal.IsLive && !json)
            {
                await terminal.Ansi.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
                    .StartAsync(bars => downloader.DownloadAsync(set, folder, new Bars(bars), cancellation));
            }
            else
            {
                await downloader.DownloadAsync(set, folder, json ? null : new Lines(terminal.Out), cancellation);
            }
        }
        catch (TrainingException problem)
        {
            throw new CommandException(ExitCodes.Environment, problem.Message);
        }

        if (json)
        {
            Reporter.WriteJson(terminal, writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("name", name);
                writer.WriteString("folder", Path.GetFullPath(set.Folder(folder)));
                writer.WriteEndObject();
            });
        }
        else
        {
            terminal.Out.WriteLine($"{name} is in {Path.GetFullPath(set.Folder(folder))}, verified. Licence: {set.Licence}. Source: {set.Source}");
        }

        return ExitCodes.Success;
    }

    private static void WriteText(string folder, Terminal terminal)
    {
        PlainTable.Write(
            terminal.Out,
            ["name", "here", "size"],
            [.. KnownDataSets.All.Select(set => (IReadOnlyList<string>)[set.Name, Here(set, folder), set.IsGenerated ? "–" : Readable.Bytes(set.Bytes)])]);
        foreach (var set in KnownDataSets.All)
        {
            terminal.Out.WriteLine();
            terminal.Out.WriteLine($"{set.Name}: {set.Description}");
            terminal.Out.WriteLine($"    {set.Licence}; {set.Source}");
        }

        terminal.Out.WriteLine();
        terminal.Out.WriteLine($"Data folder: {Path.GetFullPath(folder)} (--data-dir, or FED_DATA_DIR).");
    }

    private static void WriteJson(string folder, Terminal terminal) => Reporter.WriteJson(terminal, writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("folder", Path.GetFullPath(folder));
        writer.WriteStartArray("sets");
        foreach (var set in KnownDataSets.All)
        {
            writer.WriteStartObject();
            writer.WriteString("name", set.Name);
            writer.WriteString("description", set.Description);
            writer.WriteString("licence", set.Licence);
            writer.WriteString("source", set.Source);
            writer.WriteBoolean("generated", set.IsGenerated);
            writer.WriteNumber("bytes", set.Bytes);
            writer.WriteBoolean("here", set.Missing(folder).Count == 0);
            writer.WriteStartArray("files");
            foreach (var file in set.Files)
            {
                writer.WriteStartObject();
                writer.WriteString("name", file.Name);
                writer.WriteNumber("bytes", file.Bytes);
                writer.WriteString("sha256", file.Sha256);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    private static string Here(KnownDataSet set, string folder) => set switch
    {
        { IsGenerated: true } => "generated",
        _ when set.Missing(folder).Count == 0 => "yes",
        _ => "no",
    };

    /// <summary>A bar per file.</summary>
    private sealed class Bars(ProgressContext bars) : IProgress<DownloadProgress>
    {
        private readonly Dictionary<string, ProgressTask> tasks = [];

        public void Report(DownloadProgress value)
        {
            if (!tasks.TryGetValue(value.File, out var task))
            {
                tasks[value.File] = task = bars.AddTask(Markup.Escape(value.File), maxValue: value.Total);
            }

            task.Value = value.Bytes;
            task.Description = value.State switch
            {
                DownloadState.Verifying => $"{Markup.Escape(value.File)} [grey](verifying)[/]",
                DownloadState.Retrying => $"{Markup.Escape(value.File)} [yellow](trying again)[/]",
                DownloadState.AlreadyThere => $"{Markup.Escape(value.File)} [grey](already there)[/]",
                _ => Markup.Escape(value.File),
            };
        }
    }

    /// <summary>A line per tenth of a file.</summary>
    private sealed class Lines(TextWriter output) : IProgress<DownloadProgress>
    {
        private (string File, long Tenth, DownloadState State) last;

        public void Report(DownloadProgress value)
        {
            var now = (value.File, value.Total > 0 ? 10 * value.Bytes / value.Total : 0, value.State);
            if (now != last)
            {
                last = now;
                var state = value.State switch { DownloadState.Verifying => ", verifying", DownloadState.Retrying => ", trying again", DownloadState.Done => ", done", DownloadState.AlreadyThere => ", already there", _ => "" };
                output.WriteLine($"{value.File}: {Readable.Bytes(value.Bytes)} of {Readable.Bytes(value.Total)}{state}");
            }
        }
    }
}

using System.CommandLine;
using Federated.Cli.Dashboard;
using Federated.Cli.Output;
using Federated.Simulation.Results;

namespace Federated.Cli.Commands;

/// <summary><c>fed view DIR...</c>.</summary>
internal static class ViewCommand
{
    public static Command Create(Terminal terminal)
    {
        var folders = new Argument<string[]>("folder") { Description = "Results folders of runs, or a folder that holds some.", Arity = ArgumentArity.OneOrMore };
        var port = new Option<int>("--port") { Description = "Where the page is served on this machine; 0 for a free port.", HelpName = "N" };
        var command = new Command("view", "Look at finished runs in the dashboard.") { folders, port };
        command.SetAction(async (parsed, _) =>
        {
            var runs = Find(parsed.GetValue(folders)!);
            await using var host = await DashboardHost.StartAsync(parsed.GetValue(port), terminal.Clock);
            foreach (var (id, run) in runs)
            {
                host.Feeds.AddLazily(id, new Lazy<Coordinator.Dashboard.Feed.ViewFeed>(() => FolderFeed.Read(run, id)));
            }

            DashboardSession.Announce(terminal, host, runs.Count == 1 ? $"/runs/{runs[0].Id}" : "/");
            DashboardSession.Stay(terminal);
            return ExitCodes.Success;
        });
        Examples.Add(
            command,
            ("fed view results/demo", "look at one run"),
            ("fed view results", "all runs of a folder, side by side"));
        return command;
    }

    private static List<(string Id, RecordedRun Run)> Find(string[] folders)
    {
        var (runs, problems) = (new List<(string, RecordedRun)>(), new List<string>());
        foreach (var folder in folders.SelectMany(Expand))
        {
            if (RecordedRun.TryRead(folder, out var run, out var problem))
            {
                runs.Add((FreeId(run.Label, runs.Select(known => known.Item1)), run));
            }
            else
            {
                problems.Add(problem);
            }
        }

        return problems.Count == 0 ? runs : throw new CommandException(ExitCodes.Usage, problems);
    }

    /// <summary>A folder of results folders stands for those in it.</summary>
    private static IEnumerable<string> Expand(string folder)
    {
        if (!Directory.Exists(folder) || File.Exists(Path.Combine(folder, MetricsFile.Name)))
        {
            return [folder];
        }

        var inside = Directory.GetDirectories(folder).Where(sub => File.Exists(Path.Combine(sub, MetricsFile.Name))).Order(StringComparer.Ordinal).ToList();
        return inside.Count > 0 ? inside : [folder];
    }

    private static string FreeId(string label, IEnumerable<string> taken)
    {
        var slug = string.Concat(label.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-'));
        return Enumerable.Range(1, int.MaxValue).Select(i => i == 1 ? slug : $"{slug}-{i}").First(id => !taken.Contains(id));
    }
}

using System.CommandLine;
using System.Globalization;
using Federated.Cli.Output;
using Federated.Protocol.Wire;

namespace Federated.Cli.Serving;

/// <summary><c>fed runs</c>: what an operator does with the runs of a coordinator.</summary>
internal static class RunsCommand
{
    public static Command Create(Terminal terminal)
    {
        var connection = new ConnectionOptions();
        var command = new Command("runs", "Create, watch and control the runs of a coordinator.")
        {
            CreateVerb(terminal, connection),
            ListVerb(terminal, connection),
            ShowVerb(terminal, connection),
            CommandVerb(terminal, connection, "pause", "Give out no more work; what is under way is still taken."),
            CommandVerb(terminal, connection, "resume", "Go on after a pause."),
            CommandVerb(terminal, connection, "stop", "End a run; what there is, is kept."),
            BranchVerb(terminal, connection),
            ExportVerb(terminal, connection),
            DeleteVerb(terminal, connection),
        };
        connection.AddTo(command);
        Examples.Add(
            command,
            ("fed runs create experiments/demo.yaml", "start a run on the coordinator of this machine"),
            ("fed runs show demo", "how it goes"),
            ("fed runs export demo --out model.safetensors", "the best version, and its card"));
        return command;
    }

    private static Argument<string> Run() => new("run") { Description = "The run's id." };

    private static Option<string[]> Set() => new("--set") { Description = "Change one value of the configuration; may be given several times.", HelpName = "key.key=value", DefaultValueFactory = _ => [] };

    private static Command CreateVerb(Terminal terminal, ConnectionOptions connection)
    {
        var file = new Argument<string>("file") { Description = "The experiment, a YAML file: what fed run takes." };
        var id = new Option<string?>("--id") { Description = "The run's id. The default is made of the experiment's name.", HelpName = "ID" };
        var (set, seed) = (Set(), new Option<ulong?>("--seed") { Description = "The same as --set seed=N.", HelpName = "N" });
        var command = new Command("create", "Create a run and start it.") { file, id, set, seed };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = connection.Open(parsed);
            string text;
            try
            {
                text = await File.ReadAllTextAsync(parsed.GetValue(file)!, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                throw new CommandException(ExitCodes.Usage, $"There is no file '{parsed.GetValue(file)}'.");
            }

            IReadOnlyList<string> sets = parsed.GetValue(seed) is { } n ? [.. parsed.GetValue(set)!, string.Create(CultureInfo.InvariantCulture, $"seed={n}")] : parsed.GetValue(set)!;
            var made = await api.PostAsync(
                "/v1/runs", new CreateRunRequest(text) { Run = parsed.GetValue(id), Set = sets }, WireJson.Default.CreateRunRequest, WireJson.Default.RunDetailMessage, cancellation).ConfigureAwait(false);
            return Created(terminal, connection.IsJson(parsed), made, api.Url);
        });
        return command;
    }

    private static Command BranchVerb(Terminal terminal, ConnectionOptions connection)
    {
        var (run, set) = (Run(), Set());
        var version = new Option<string>("--version") { Description = "latest, best, or a number.", DefaultValueFactory = _ => "latest", HelpName = "V" };
        var id = new Option<string?>("--id") { Description = "The new run's id.", HelpName = "ID" };
        var command = new Command("branch", "Start a new run from the model of a version of another, with changes if wanted; schedules and what clients remember begin anew, the server optimizer unless it is the latest version and the same optimizer; the version's privacy cost is inherited.") { run, version, id, set };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = connection.Open(parsed);
            var made = await api.PostAsync(
                $"/v1/runs/{Escape(parsed.GetValue(run)!)}:branch", new BranchRunRequest(parsed.GetValue(version)!) { Run = parsed.GetValue(id), Set = parsed.GetValue(set)! },
                WireJson.Default.BranchRunRequest, WireJson.Default.RunDetailMessage, cancellation).ConfigureAwait(false);
            if (!connection.IsJson(parsed))
            {
                terminal.Out.WriteLine($"It begins with the model of {made.BranchedFrom}, and of a latest version with the state of the same server optimizer; schedules and what clients remember begin anew. What that model had cost in privacy stays: the statement says how much in all.");
            }

            return Created(terminal, connection.IsJson(parsed), made, api.Url);
        });
        return command;
    }

    private static Command ListVerb(Terminal terminal, ConnectionOptions connection)
    {
        var command = new Command("list", "The coordinator's runs.");
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = connection.Open(parsed);
            var list = await api.GetAsync("/v1/runs", WireJson.Default.RunList, cancellation).ConfigureAwait(false);
            if (connection.IsJson(parsed))
            {
                Json.Write(terminal, list, WireJson.Default.RunList);
            }
            else if (list.Runs.Count == 0)
            {
                terminal.Out.WriteLine("No runs. fed runs create FILE makes one.");
            }
            else
            {
                PlainTable.Write(
                    terminal.Out, ["run", "state", "version", "clients", "updates", "accuracy", "best"],
                    [.. list.Runs.Select(r => (IReadOnlyList<string>)[r.Run, r.State, Number(r.Version), Number(r.Clients), Number(r.Accepted), Share(r.Accuracy), Share(r.BestAccuracy)])]);
                foreach (var unserved in list.Runs.Where(r => r.State is "damaged" or "failed" or "opening"))
                {
                    terminal.Out.WriteLine($"{unserved.Run} is {unserved.State}: {unserved.Detail}");
                }
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static Command ShowVerb(Terminal terminal, ConnectionOptions connection)
    {
        var run = Run();
        var command = new Command("show", "A run in full: how far it is, what it waits for, how good it is.") { run };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = connection.Open(parsed);
            var detail = await api.GetAsync($"/v1/runs/{Escape(parsed.GetValue(run)!)}", WireJson.Default.RunDetailMessage, cancellation).ConfigureAwait(false);
            if (connection.IsJson(parsed))
            {
                Json.Write(terminal, detail, WireJson.Default.RunDetailMessage);
            }
            else
            {
                RunText.Write(terminal.Out, detail);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static Command CommandVerb(Terminal terminal, ConnectionOptions connection, string verb, string description)
    {
        var run = Run();
        var reason = new Option<string>("--reason") { Description = "Why, for people.", DefaultValueFactory = _ => "" };
        var command = new Command(verb, description) { run, reason };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = connection.Open(parsed);
            var summary = await api.PostAsync(
                $"/v1/runs/{Escape(parsed.GetValue(run)!)}:{verb}", new CommandRequest(parsed.GetValue(reason)!), WireJson.Default.CommandRequest, WireJson.Default.RunSummaryMessage, cancellation).ConfigureAwait(false);
            if (connection.IsJson(parsed))
            {
                Json.Write(terminal, summary, WireJson.Default.RunSummaryMessage);
            }
            else
            {
                terminal.Out.WriteLine($"{summary.Run} is {summary.State} at version {Number(summary.Version)}.");
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static Command ExportVerb(Terminal terminal, ConnectionOptions connection)
    {
        var run = Run();
        var version = new Option<string>("--version") { Description = "best, latest, or a number.", DefaultValueFactory = _ => "best", HelpName = "V" };
        var output = new Option<string?>("--out") { Description = "The file. The default is RUN.safetensors; the model card goes beside it as .md.", HelpName = "FILE" };
        var command = new Command("export", "Download a version as safetensors, with its model card.") { run, version, output };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = connection.Open(parsed);
            var id = parsed.GetValue(run)!;
            var file = parsed.GetValue(output) ?? $"{id}.safetensors";
            var got = await api.DownloadAsync($"/v1/runs/{Escape(id)}/models/{Escape(parsed.GetValue(version)!)}", file, cancellation).ConfigureAwait(false);
            var card = Path.ChangeExtension(file, ".md");
            await File.WriteAllTextAsync(card, await api.GetTextAsync($"/v1/runs/{Escape(id)}/card", cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);
            if (connection.IsJson(parsed))
            {
                Reporter.WriteJson(terminal, json =>
                {
                    json.WriteStartObject();
                    json.WriteString("run", id);
                    json.WriteString("version", got);
                    json.WriteString("model", file);
                    json.WriteString("card", card);
                    json.WriteEndObject();
                });
            }
            else
            {
                terminal.Out.WriteLine($"Version {got} is in {file}, its card in {card}.");
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static Command DeleteVerb(Terminal terminal, ConnectionOptions connection)
    {
        var run = Run();
        var yes = new Option<bool>("--yes") { Description = "Do it without asking." };
        var command = new Command("delete", "Delete a run with all its versions.") { run, yes };
        command.SetAction(async (parsed, cancellation) =>
        {
            var id = parsed.GetValue(run)!;
            if (!parsed.GetValue(yes))
            {
                throw new CommandException(ExitCodes.Usage, $"All versions of '{id}' would be gone for good. Say --yes to do it.");
            }

            using var api = connection.Open(parsed);
            await api.DeleteAsync($"/v1/runs/{Escape(id)}", cancellation).ConfigureAwait(false);
            if (!connection.IsJson(parsed))
            {
                terminal.Out.WriteLine($"{id} is deleted.");
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static int Created(Terminal terminal, bool json, RunDetailMessage made, Uri url)
    {
        if (json)
        {
            Json.Write(terminal, made, WireJson.Default.RunDetailMessage);
            return ExitCodes.Success;
        }

        var summary = made.Summary;
        terminal.Out.WriteLine($"Run {summary.Run} is {summary.State}: {summary.Strategy}.");
        if (summary.ExpectedClients > 0)
        {
            terminal.Out.WriteLine($"It begins when {Number(summary.ExpectedClients)} clients have joined.");
        }

        terminal.Out.WriteLine($"Join it with: fed client --url {url.GetLeftPart(UriPartial.Authority)} --run {summary.Run} --data DIR");
        terminal.Out.WriteLine($"If its file has a data section, as an experiment's has: fed client --run {summary.Run} --count N plays the clients 0 to N - 1 of it.");
        return ExitCodes.Success;
    }

    private static string Escape(string part) => Uri.EscapeDataString(part);

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Share(double? share) => share?.ToString("F4", CultureInfo.InvariantCulture) ?? "";
}

using Federated.Cli.Dashboard;
using Federated.Cli.Output;
using Federated.Privacy.Pipeline;
using Federated.Simulation;
using Federated.Simulation.Configuration.Binding;
using Federated.Simulation.Engine;
using Federated.Simulation.Reports;
using Federated.Simulation.Results;

namespace Federated.Cli;

/// <summary>One experiment from its configuration to its results folder, with whatever the terminal can show on the way.</summary>
internal sealed class RunSession(Terminal terminal, bool json, bool quiet, int? dashboardPort = null, double pace = 0)
{
    /// <param name="folder">Where results go; null for a new folder under <c>results/</c>.</param>
    /// <returns>The exit code.</returns>
    public int Run(ExperimentConfiguration configuration, string dataDirectory, string? folder, bool writesUpdates)
    {
        var experiment = Experiment.Prepare(configuration, dataDirectory, Engines.Trainers);
        var path = folder ?? ResultsPath.New("results", configuration.Name);
        if (!ResultsFolder.TryOpen(path, writesUpdates, out var results, out var problem))
        {
            throw new CommandException(ExitCodes.Environment, problem);
        }

        using var dashboard = dashboardPort is { } port ? DashboardSession.Start(terminal, experiment, port, pace) : null;
        using (results)
        {
            results.WriteConfiguration(experiment.Configuration);
            var collector = new ReportCollector();
            Announce(experiment, path);
            var result = Follow(experiment, new ResultsObserver(results), collector, dashboard, path);
            if (result.Model is { } model)
            {
                results.WriteModel(model);
            }

            results.WriteReport(RunReport.Render(new ReportInput(
                result.Summary, ConfigWriter.Write(experiment.Configuration), collector, experiment.Data is { } data ? PartitionPicture.Of(data) : null)));
            results.WriteSummary(result.Summary);
            results.Complete();
            Conclude(result.Summary, results);
            dashboard?.StayOpen();
            return ExitCodeOf(result.Summary);
        }
    }

    private ExperimentResult Follow(Experiment experiment, ResultsObserver results, ReportCollector collector, DashboardSession? dashboard, string path)
    {
        ExperimentResult RunWith(params ISimulationObserver[] more) =>
            experiment.Run(
                new CompositeObserver([results, collector, .. dashboard is null ? [] : (ISimulationObserver[])[dashboard.Feed], .. more]),
                terminal.Clock,
                dashboard?.Feed.Stopped ?? terminal.Interrupted);
        try
        {
            return (json || quiet, terminal.IsLive) switch
            {
                (true, _) => RunWith(),
                (_, true) => LiveProgress.Follow(terminal.Ansi, terminal.Clock, experiment.Configuration.Run.Stop, live => RunWith(live), terminal.Interrupted),
                _ => RunWith(new PlainProgress(terminal.Out, terminal.Clock)),
            };
        }
        catch (Exception failure) when (failure is not IOException and not UnauthorizedAccessException)
        {
            var isKnown = failure is SimulationException or Training.TrainingException or Aggregation.AggregationException or Coordinator.CoordinatorException or Federated.Privacy.PrivacyException;
            throw new CommandException(ExitCodes.RunFailed, $"The run broke: {(isKnown ? failure.Message : failure.ToString())}", $"What was written until then is in {path}, marked as partial.");
        }
    }

    private void Announce(Experiment experiment, string path)
    {
        if (json || quiet)
        {
            return;
        }

        var data = experiment.Data is { } d ? $", {d.Train.Name}: {Readable.Number(d.Train.Count)} training examples" : "";
        terminal.Out.WriteLine($"{experiment.Configuration.Name}: {Readable.Number(experiment.ClientCount)} clients{data}, seed {experiment.Configuration.Seed}, {experiment.Configuration.Threads} threads");
        if (experiment.Configuration.Privacy is not NoPrivacyOptions)
        {
            var planned = experiment.PlannedPrivacy is { } bound ? $"at most {bound}" : "no bound known in advance";
            terminal.Out.WriteLine($"Privacy: {planned}; simulated noise is drawn from the seed, so it protects nobody");
        }

        terminal.Out.WriteLine($"Results go to {path}");
    }

    private void Conclude(RunSummary summary, ResultsFolder results)
    {
        if (json)
        {
            Reporter.WriteJson(terminal, writer =>
            {
                writer.WriteStartObject();
                writer.WriteNumber("exit_code", ExitCodeOf(summary));
                writer.WriteString("folder", Path.GetFullPath(results.Path));
                writer.WriteString("report", Path.GetFullPath(results.ReportPath));
                writer.WritePropertyName("summary");
                SummaryFile.Write(summary, writer);
                writer.WriteEndObject();
            });
            return;
        }

        var learnt = double.IsNaN(summary.FinalAccuracy) ? "" : $"accuracy {Readable.Percent(summary.FinalAccuracy)} (best {Readable.Percent(summary.BestAccuracy)}), loss {Readable.Number(summary.FinalLoss)}, ";
        terminal.Out.WriteLine();
        var end = ExitCodeOf(summary) switch { ExitCodes.Interrupted => "Interrupted", ExitCodes.RunFailed => "Failed", _ => "Done" };
        terminal.Out.WriteLine($"{end}: {learnt}{Readable.Number(summary.Versions)} versions from {Readable.Number(summary.Accepted)} client updates, "
            + $"{Readable.Seconds(summary.VirtualSeconds)} of virtual time in {Readable.Seconds(summary.WallSeconds)}.");
        terminal.Out.WriteLine($"{summary.FinishDetail} {Readable.Number(summary.Dispatched)} dispatched = {Readable.Number(summary.Accepted)} accepted + {Readable.Number(summary.Rejected)} rejected + {Readable.Number(summary.Lost)} lost.");
        if (summary.Privacy is { } privacy)
        {
            terminal.Out.WriteLine($"Privacy: {privacy.Line}. What it rests on is in the report.");
        }

        terminal.Out.WriteLine($"Report: {Path.GetFullPath(results.ReportPath)}");
        if (ExitCodeOf(summary) == ExitCodes.RunFailed)
        {
            terminal.Error.WriteLine($"fed: the run did not end well ({summary.FinishReason}): {summary.FinishDetail}");
        }
    }

    private static int ExitCodeOf(RunSummary summary) => summary.FinishReason switch
    {
        "diverged" or "stalled" => ExitCodes.RunFailed,
        "operator" => ExitCodes.Interrupted,
        _ => ExitCodes.Success,
    };
}

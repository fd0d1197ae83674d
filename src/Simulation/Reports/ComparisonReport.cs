using Federated.Simulation.Reports.Charts;
using Federated.Simulation.Results;

namespace Federated.Simulation.Reports;

/// <summary>Runs over one another: accuracy and loss by round, virtual time, bytes and ε.</summary>
public static class ComparisonReport
{
    /// <summary>What runs are compared in, as rows of text: name first.</summary>
    public static (IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows) Table(IReadOnlyList<RecordedRun> runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        string[] header = ["run", "strategy", "clients", "versions", "final accuracy", "best accuracy", "final loss", "to target", "virtual time", "wall time", "sent", "ε", "ended"];
        return (header, [.. Labels(runs).Zip(runs, (label, run) => run.Summary is { } s
            ? (IReadOnlyList<string>)
            [
                label, s.Strategy, Readable.Number(s.Clients), Readable.Number(s.Versions), Readable.Percent(s.FinalAccuracy), Readable.Percent(s.BestAccuracy),
                Readable.Number(s.FinalLoss), Readable.Seconds(s.TimeToTargetSeconds), Readable.Seconds(s.VirtualSeconds), Readable.Seconds(s.WallSeconds),
                Readable.Bytes(s.BytesUp + (double)s.BytesDown), Privacy(s), s.FinishReason,
            ]
            : Unfinished(label, run))]);
    }

    public static string Render(IReadOnlyList<RecordedRun> runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        var labels = Labels(runs);
        var body = new Markup().Add($"""<h1>{runs.Count} runs compared</h1><p class="soft">{string.Join(", ", labels)}</p>""");
        var (header, rows) = Table(runs);
        body.Add(HtmlPage.Table("As each run ended.", header, rows, hasWords: true));
        body.Add($"<h2>Learning</h2>").Add(HtmlPage.CurveLegend(labels)).Add($"""<div class="charts">""");
        var axes = new (string Id, string Label, Func<MetricsRow, double> X, Func<double, string> Text)[]
        {
            ("r", "round", r => r.Round, Readable.Short),
            ("t", "virtual time", r => r.VirtualSeconds, Readable.Seconds),
            ("b", "bytes sent", r => r.BytesUp + (double)r.BytesDown, Readable.Bytes),
            ("e", "ε spent", r => r.Epsilon, Readable.Short),
        };
        foreach (var (id, label, x, text) in axes.Where(axis => runs.Any(run => run.Metrics.Any(row => double.IsFinite(axis.X(row))))))
        {
            Curve[] Of(Func<MetricsRow, double> y) => [.. labels.Zip(runs, (name, run) => new Curve(name, [.. run.Metrics.Where(r => double.IsFinite(x(r))).Select(r => (x(r), y(r)))]))];
            body.Add(HtmlPage.Figure($"Accuracy by {label}", new LineChart($"acc-{id}", $"Accuracy by {label}", label, "accuracy", Of(r => r.Accuracy), text, RunReport.Share, IsTime: id == "t").Render()));
            body.Add(HtmlPage.Figure($"Loss by {label}", new LineChart($"loss-{id}", $"Loss by {label}", label, "loss", Of(r => r.Loss), text, Readable.Short, IsTime: id == "t").Render()));
        }

        return HtmlPage.Render($"{runs.Count} runs compared", body.Add(ByPolicy(runs)).Add($"</div>"));
    }

    /// <summary>What accuracy each policy gives for its ε: one curve a policy, one point a run.</summary>
    private static Markup ByPolicy(IReadOnlyList<RecordedRun> runs)
    {
        var curves = runs.Select(run => run.Summary).OfType<RunSummary>().Where(s => s.Privacy is not null && double.IsFinite(s.Epsilon))
            .GroupBy(s => s.Privacy!.Policy, StringComparer.Ordinal)
            .Select(group => new Curve(group.Key, [.. group.OrderBy(s => s.Epsilon).Select(s => (s.Epsilon, s.FinalAccuracy))])).ToList();
        if (curves.Sum(curve => curve.Points.Count) < 2)
        {
            return new Markup();
        }

        var chart = new LineChart("acc-policy", "Final accuracy by ε and policy", "ε spent", "final accuracy", curves, Readable.Short, RunReport.Share);
        return HtmlPage.Figure(
            chart.Title, chart.Render(), "An ε of one policy is not an ε of another: they trust others, and protect under other adjacencies.", legend: HtmlPage.CurveLegend(curves.Select(c => c.Name)));
    }

    private static string Privacy(RunSummary summary) => summary.Privacy is { } privacy
        ? $"{Readable.Number(summary.Epsilon)} at δ {Readable.Number(summary.Delta)}, {privacy.Policy}"
        : Readable.Number(summary.Epsilon);

    // The folder's name, with as much of the path before it as tells it from the others.
    private static List<string> Labels(IReadOnlyList<RecordedRun> runs) =>
        [.. runs.Select(run => runs.Count(other => other.Label == run.Label) == 1 ? run.Label : run.Path)];

    private static string[] Unfinished(string label, RecordedRun run)
    {
        var last = run.Metrics.Count > 0 ? run.Metrics[^1] : null;
        var ended = run.IsPartial ? "running or killed" : "no summary";
        return last is null
            ? [label, "–", "–", "–", "–", "–", "–", "–", "–", "–", "–", "–", ended]
            :
            [
                label, "–", "–", Readable.Number(last.Version), Readable.Percent(last.Accuracy), Readable.Percent(run.Metrics.Max(r => r.Accuracy)), Readable.Number(last.Loss), "–",
                Readable.Seconds(last.VirtualSeconds), Readable.Seconds(last.WallSeconds), Readable.Bytes(last.BytesUp + (double)last.BytesDown), Readable.Number(last.Epsilon), ended,
            ];
    }
}

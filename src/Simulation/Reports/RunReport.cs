using System.Globalization;
using Federated.Simulation.Reports.Charts;
using Federated.Simulation.Results;

namespace Federated.Simulation.Reports;

/// <summary><c>report.html</c>: a run as a page to look at and to send. A pure function of its input.</summary>
public static class RunReport
{
    /// <summary>Rows of a table of evaluations or clients; the files hold all.</summary>
    private const int MostRows = 50;

    private const int MostDots = 1500;

    public static string Render(ReportInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var (summary, collected) = (input.Summary, input.Collected);
        var body = new Markup();
        body.Add($"""<h1>{summary.Run}</h1><p class="soft">{summary.Strategy} · seed {summary.Seed.ToString(CultureInfo.InvariantCulture)} · {Readable.Number(summary.Clients)} clients</p>""");
        body.Add(Ending(summary));
        body.Add(Facts(summary));
        if (collected.Evaluations.Count > 0)
        {
            body.Add($"<h2>Learning</h2>").Add(Curves(summary, collected.Evaluations));
        }

        body.Add($"<h2>Privacy</h2>").Add(summary.Privacy is { } privacy ? PrivacyPart.Render(privacy, collected.Evaluations) : PrivacyPart.RenderNone());

        if (summary.ClientScores.Count > 0 || summary.Baselines.Count > 0)
        {
            body.Add($"<h2>Clients and baselines</h2>").Add(ScoresSection.Render(summary));
        }

        if (collected.Segments.Count > 0)
        {
            body.Add($"<h2>What clients did</h2>").Add(Timeline(summary, collected, input.Partition));
        }

        body.Add(Participation(input));
        if (input.Partition is { Counts: [{ Count: > 0 }, ..] } partition)
        {
            body.Add($"<h2>Data</h2>").Add(Data(partition));
        }

        body.Add($"<h2>Configuration</h2>");
        body.Add(HtmlPage.Details("config.yaml, with every default written out", new Markup().Add($"<pre>{input.Configuration}</pre>")));
        return HtmlPage.Render($"{summary.Run} – federated run", body);
    }

    private static Markup Ending(RunSummary summary) => summary.FinishReason switch
    {
        "diverged" or "stalled" => new Markup().Add($"""<p class="note" role="note"><strong>The run did not end well: {summary.FinishReason}.</strong> {summary.FinishDetail}</p>"""),
        "operator" => new Markup().Add($"""<p class="note" role="note"><strong>Interrupted.</strong> {summary.FinishDetail} What was there until then is shown.</p>"""),
        _ => new Markup().Add($"<p>{summary.FinishDetail}</p>"),
    };

    private static Markup Facts(RunSummary s) => HtmlPage.Facts(
        new (string Name, string Value, string Note)[]
        {
            ("Accuracy", Readable.Percent(s.FinalAccuracy), double.IsNaN(s.BestAccuracy) ? "" : $"best {Readable.Percent(s.BestAccuracy)}"),
            ("Loss", Readable.Number(s.FinalLoss), ""),
            ("Time to target", Readable.Seconds(s.TimeToTargetSeconds), "virtual"),
            ("Versions", Readable.Number(s.Versions), ""),
            ("Updates accepted", Readable.Number(s.Accepted), $"of {Readable.Number(s.Dispatched)} dispatched; {Readable.Number(s.Rejected)} rejected, {Readable.Number(s.Lost)} lost"),
            ("Virtual time", Readable.Seconds(s.VirtualSeconds), ""),
            ("Wall time", Readable.Seconds(s.WallSeconds), s.WallSeconds > 0 ? $"{Readable.Short(s.Dispatched / s.WallSeconds)} updates/s" : ""),
            ("Sent", Readable.Bytes(s.BytesUp + (double)s.BytesDown), $"{Readable.Bytes(s.BytesUp)} up, {Readable.Bytes(s.BytesDown)} down"),
            ("Privacy spent", double.IsNaN(s.Epsilon) ? "none" : $"ε = {Readable.Number(s.Epsilon)}", double.IsNaN(s.Epsilon) ? "no differential privacy" : $"δ = {Readable.Number(s.Delta)}"),
            ("Peak memory", s.PeakRssBytes > 0 ? Readable.Bytes(s.PeakRssBytes) : "–", ""),
        }.Where(fact => fact.Value != "–"));

    private static Markup Curves(RunSummary summary, IReadOnlyList<MetricsRow> rows)
    {
        var pooled = summary.Baselines.Where(b => b.Kind == "pooled").ToList();
        LineChart Chart(string id, string what, string xLabel, Func<MetricsRow, double> x, Func<MetricsRow, double> y, Func<double, string> xText, Func<double, string> yText, Func<BaselineScore, double> of) =>
            new(id, $"{what} by {xLabel}", xLabel, what, [new Curve(what, [.. rows.Select(r => (x(r), y(r)))])], xText, yText, [.. pooled.Select(b => ("pooled data", of(b)))], IsTime: xLabel == "virtual time");

        var charts = new[]
        {
            Chart("acc-v", "Accuracy", "version", r => r.Version, r => r.Accuracy, Readable.Short, Share, b => b.Accuracy),
            Chart("loss-v", "Loss", "version", r => r.Version, r => r.Loss, Readable.Short, Readable.Short, b => b.Loss),
            Chart("acc-t", "Accuracy", "virtual time", r => r.VirtualSeconds, r => r.Accuracy, Readable.Seconds, Share, b => b.Accuracy),
            Chart("loss-t", "Loss", "virtual time", r => r.VirtualSeconds, r => r.Loss, Readable.Seconds, Readable.Short, b => b.Loss),
        };
        var grid = new Markup().Add($"""<div class="charts">""");
        foreach (var chart in charts)
        {
            grid.Add(HtmlPage.Figure(chart.Title, chart.Render()));
        }

        grid.Add($"</div>");
        var isPrivate = summary.Privacy is not null;
        var stride = Math.Max(1, (rows.Count + MostRows - 1) / MostRows);
        var table = HtmlPage.Table(
            $"Evaluations on the pooled test set{(stride > 1 ? $", every {stride}th; metrics.csv has all" : "")}.",
            ["version", "virtual time", "accuracy", "loss", "updates", "sent", "mean staleness", .. isPrivate ? ["ε"] : (string[])[]],
            rows.Where((_, i) => (rows.Count - 1 - i) % stride == 0).Select(r => (IReadOnlyList<string>)
            [
                Readable.Number(r.Version), Readable.Seconds(r.VirtualSeconds), Readable.Percent(r.Accuracy), Readable.Number(r.Loss),
                Readable.Number(r.ClientUpdates), Readable.Bytes(r.BytesUp + (double)r.BytesDown), Readable.Number(r.MeanStaleness), .. isPrivate ? [Readable.Number(r.Epsilon)] : (string[])[],
            ]));
        return grid.Add(HtmlPage.Details("The same as a table", table));
    }

    internal static string Share(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.##} %");

    private static Markup Timeline(RunSummary summary, ReportCollector collected, PartitionPicture? partition)
    {
        var chart = new TimelineChart("timeline", "Assignments over virtual time", collected.Segments, collected.Publishes, summary.Clients, partition?.Names);
        var caption = collected.Segments.Count < summary.Dispatched
            ? $"The {Readable.Number(collected.Segments.Count)} assignments that ended first, of {Readable.Number(summary.Dispatched)}; updates.csv has all."
            : $"All {Readable.Number(collected.Segments.Count)} assignments.";
        caption += summary.Clients <= TimelineChart.MostLanes ? " One lane per client." : " A lane is a place at work, filled by whoever is next; the clients are under the pointer.";
        var legend = HtmlPage.AreaLegend(
            "▼ a version is published",
            ("download", "download"), ("training", "train"), ("upload", "upload"), ("rejected, ends with a bar", "rejected"), ("lost, ends with a cross", "lost"));
        return HtmlPage.Figure("Assignments over virtual time", chart.Render(), caption, isWide: true, legend);
    }

    private static Markup Participation(ReportInput input)
    {
        var (summary, collected) = (input.Summary, input.Collected);
        var section = new Markup().Add($"""<div class="charts">""");
        if (summary.Accepted > 0)
        {
            section.Add(HtmlPage.Figure("Staleness of accepted updates", Histogram.OfCounts("staleness", "Staleness of accepted updates", "staleness", "updates", collected.Staleness), "Versions published between an update's base and its use; fresh is 0."));
            section.Add(Shares(input));
        }

        var table = HtmlPage.Table(
            "How assignments ended.",
            ["outcome", "reason", "assignments", "share"],
            collected.Outcomes.OrderBy(o => o.Key.Outcome).ThenByDescending(o => o.Value).Select(o => (IReadOnlyList<string>)
            [
                o.Key.Outcome.ToString().ToLowerInvariant(), o.Key.Reason, Readable.Number(o.Value), Readable.Percent((double)o.Value / Math.Max(1, summary.Dispatched)),
            ]),
            hasWords: true);
        return section.Add(HtmlPage.Figure("Outcomes", table)).Add($"</div>");
    }

    private static Markup Shares(ReportInput input)
    {
        var clients = input.Summary.Clients;
        var counts = Enumerable.Range(0, clients).Select(client => client < input.Collected.AcceptedOf.Count ? input.Collected.AcceptedOf[client] : 0).Order().ToList();
        var never = counts.TakeWhile(count => count == 0).Count();
        var caption = $"Updates per client: least {Readable.Number(counts[0])}, median {Readable.Number(counts[clients / 2])}, most {Readable.Number(counts[^1])}; "
            + $"{Readable.Number(never)} of {Readable.Number(clients)} clients never took part.";
        if (input.Summary.Participation is not { Clients.Count: > 0 } participation)
        {
            return HtmlPage.Figure("Participation", Updates(counts), caption);
        }

        caption += $" Participation bias {Readable.Percent(participation.Bias)}: how far the clients' shares in the model are, in sum, from what their weights intend.";
        var shares = participation.Clients;
        if (shares.Max(c => c.Intended) - shares.Min(c => c.Intended) < 1e-12)
        {
            // Everybody should have the same share: how often each took part says all.
            return HtmlPage.Figure("Participation", Updates(counts), caption);
        }

        var chart = new ScatterChart(
            "participation", "Share in the model against intended share, per client", "intended share, %", "share in the model, %",
            [.. shares.Take(MostDots).Select(c => (100 * c.Intended, 100 * c.Effective, $"client {c.Client}"))], 1, "as intended");
        return HtmlPage.Figure("Participation: intended and effective", chart.Render(), caption + " The dashed line is participation as intended.");
    }

    private static Markup Updates(List<int> counts) => Histogram.Of("participation", "Clients by their accepted updates", "accepted updates", "clients", counts);

    private static Markup Data(PartitionPicture partition)
    {
        var chart = new BubbleChart("partition", "Training examples by client and class", partition.Names, partition.Counts);
        var sizes = partition.Examples.Order().ToList();
        var caption = $"{partition.Describes}. Examples per client: least {Readable.Number(sizes[0])}, median {Readable.Number(sizes[sizes.Count / 2])}, most {Readable.Number(sizes[^1])}."
            + (partition.Names.Count < partition.Clients ? $" {partition.Names.Count} of {Readable.Number(partition.Clients)} clients are shown." : "");
        return HtmlPage.Figure("Who holds what", chart.Render(), caption, isWide: true);
    }
}

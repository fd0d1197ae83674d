using Federated.Simulation.Reports.Charts;
using Federated.Simulation.Results;

namespace Federated.Simulation.Reports;

/// <summary>The final model at each client, beside what training alone or on pooled data gives.</summary>
internal static class ScoresSection
{
    private const int MostRows = 50;

    private const int MostDotRows = 24;

    public static Markup Render(RunSummary summary)
    {
        var section = new Markup();
        var pooled = summary.Baselines.FirstOrDefault(b => b.Kind == "pooled");
        var local = summary.Baselines.Where(b => b.Kind == "local").ToDictionary(b => b.Client);
        var clients = summary.ClientScores.Count > 0
            ? summary.ClientScores.Select(s => (s.Client, s.Name, s.TestExamples)).ToList()
            : local.Values.Select(b => (b.Client, b.Name, TestExamples: 0)).OrderBy(c => c.Client).ToList();

        var (federatedOf, pooledOf) = (ByClient(summary.ClientScores), ByClient(pooled?.Scores ?? []));
        double Federated(int client) => federatedOf.GetValueOrDefault(client, double.NaN);
        double Pooled(int client) => pooledOf.GetValueOrDefault(client, double.NaN);
        double Local(int client) => local.TryGetValue(client, out var b) ? ByClient(b.Scores).GetValueOrDefault(client, double.NaN) : double.NaN;

        var series = new List<(string Name, Func<int, double> Of)> { ("federated", Federated) };
        if (local.Count > 0)
        {
            series.Add(("own data only", Local));
        }

        if (pooled is not null)
        {
            series.Add(("pooled data", Pooled));
        }

        var accuracies = summary.ClientScores.Select(s => s.Accuracy).Where(double.IsFinite).Order().ToList();
        section.Add($"""<div class="charts">""");
        if (accuracies.Count > 0 && clients.Count <= MostDotRows)
        {
            var chart = new DotRows(
                "scores", "Accuracy on each client's own test examples", "accuracy", [.. series.Select(s => s.Name)],
                [.. clients.Select(c => (c.Name, (IReadOnlyList<double>)[.. series.Select(s => s.Of(c.Client))]))], RunReport.Share);
            section.Add(HtmlPage.Figure("Accuracy on each client's own test examples", chart.Render(), legend: Legend(series.Select(s => s.Name))));
        }

        else if (accuracies.Count > 1)
        {
            section.Add(HtmlPage.Figure("Accuracy over clients", Distribution(accuracies), "The final model on each client's own test examples, in steps of five percent."));
        }

        section.Add(HtmlPage.Figure("On the pooled test set", Overall(summary, pooled, local), Spread(accuracies)));
        section.Add($"</div>");
        if (summary.ClientScores.Count > 0)
        {
            var worstFirst = clients.Count > MostRows ? [.. clients.OrderBy(c => Federated(c.Client)).Take(MostRows)] : clients;
            section.Add(HtmlPage.Details("Every client as a table", HtmlPage.Table(
                clients.Count > MostRows ? $"The {MostRows} clients with the lowest accuracy, of {Readable.Number(clients.Count)}." : "Accuracy of the final model on each client's own test examples.",
                ["client", "test examples", .. series.Select(s => s.Name)],
                worstFirst.Select(c => (IReadOnlyList<string>)[c.Name, Readable.Number(c.TestExamples), .. series.Select(s => Readable.Percent(s.Of(c.Client)))]))));
        }

        return section;
    }

    private static Dictionary<int, double> ByClient(IReadOnlyList<ClientScore> scores) => scores.ToDictionary(s => s.Client, s => s.Accuracy);

    private static Markup Distribution(List<double> accuracies)
    {
        const int Bins = 20;
        var counts = new int[Bins];
        foreach (var accuracy in accuracies)
        {
            counts[Math.Clamp((int)(accuracy * Bins), 0, Bins - 1)]++;
        }

        var first = Math.Min(Array.FindIndex(counts, count => count > 0), Bins - 4);
        return new BarChart(
            "accuracies", "Accuracy over clients", "accuracy from, %", "clients",
            [.. Enumerable.Range(first, Bins - first).Select(bin => ($"{bin * 100 / Bins}", (double)counts[bin]))]).Render();
    }

    private static Markup Overall(RunSummary summary, BaselineScore? pooled, Dictionary<int, BaselineScore> local)
    {
        var rows = new List<IReadOnlyList<string>> { new[] { "federated", "everybody's, where they are", Readable.Percent(summary.FinalAccuracy), Readable.Number(summary.FinalLoss), "" } };
        if (pooled is not null)
        {
            rows.Add(["pooled", "everybody's, in one place", Readable.Percent(pooled.Accuracy), Readable.Number(pooled.Loss), Readable.Number(pooled.Steps)]);
        }

        rows.AddRange(local.Values.OrderBy(b => b.Client).Take(MostRows).Select(b =>
            (IReadOnlyList<string>)["local", b.Name, Readable.Percent(b.Accuracy), Readable.Number(b.Loss), Readable.Number(b.Steps)]));
        return HtmlPage.Table("The same model, trained in different ways.", ["training", "data of", "accuracy", "loss", "steps"], rows, hasWords: true);
    }

    private static string Spread(List<double> accuracies)
    {
        if (accuracies.Count < 2)
        {
            return "";
        }

        double At(double share) => accuracies[(int)Math.Round(share * (accuracies.Count - 1))];
        return $"Over clients, on their own test examples: lowest {Readable.Percent(accuracies[0])}, 10th percentile {Readable.Percent(At(0.1))}, median {Readable.Percent(At(0.5))}, "
            + $"90th percentile {Readable.Percent(At(0.9))}.";
    }

    private static Markup Legend(IEnumerable<string> names)
    {
        var legend = new Markup().Add($"""<ul class="legend">""");
        foreach (var (name, i) in names.Select((name, i) => (name, i)))
        {
            legend.Add($"""<li><svg viewBox="0 0 26 12" aria-hidden="true">{DotRows.Mark(i, 13, 6, name)}</svg>{name}</li>""");
        }

        return legend.Add($"</ul>");
    }
}

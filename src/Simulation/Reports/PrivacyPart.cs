using Federated.Privacy;
using Federated.Simulation.Reports.Charts;
using Federated.Simulation.Results;

namespace Federated.Simulation.Reports;

/// <summary>The report's part on privacy: the guarantee with all that it rests on, and what accuracy it was had for.</summary>
internal static class PrivacyPart
{
    public static Markup Render(PrivacySummary privacy, IReadOnlyList<MetricsRow> rows)
    {
        var part = new Markup().Add($"<p><strong>{privacy.Statement}</strong></p>");
        if ((privacy.Spent ?? privacy.Planned) is { } described)
        {
            part.Add(HtmlPage.Facts(
                ("Spent", privacy.Spent is { } spent ? $"ε = {Readable.Number(spent.Epsilon)}" : "nothing", $"δ = {Readable.Number(described.Delta)}"),
                ("At most", privacy.Planned is { } planned ? $"ε = {Readable.Number(planned.Epsilon)}" : "no bound", "known before the run"),
                ("Protects", described.Relation.ToString(), "every client's whole part in the run"),
                ("Trusts", Trusted(described.Trust), ""),
                ("Accountant", described.Accountant, "an upper bound")));
            part.Add($"<p>It holds as long as all of this does:</p><ul>");
            foreach (var sentence in described.Assumptions.Concat(privacy.Notes))
            {
                part.Add($"<li>{sentence}</li>");
            }

            part.Add($"</ul>");
        }

        var spending = rows.Where(r => double.IsFinite(r.Epsilon)).ToList();
        if (spending.Count > 1)
        {
            var accuracy = new LineChart(
                "acc-e", "Accuracy by ε spent", "ε spent", "accuracy", [new Curve("Accuracy", [.. spending.Select(r => (r.Epsilon, r.Accuracy))])], Readable.Short, RunReport.Share);
            var course = new LineChart(
                "e-v", "ε spent by version", "version", "ε spent", [new Curve("ε spent", [.. spending.Select(r => ((double)r.Version, r.Epsilon))])], Readable.Short, Readable.Short,
                privacy.Planned is { } bound ? [("at most", bound.Epsilon)] : null);
            part.Add($"""<div class="charts">""");
            part.Add(HtmlPage.Figure(accuracy.Title, accuracy.Render())).Add(HtmlPage.Figure(course.Title, course.Render())).Add($"</div>");
        }

        return part;
    }

    private static string Trusted(TrustModel trust) => trust switch
    {
        TrustModel.Central => "the server",
        TrustModel.Distributed => "a threshold of the clients",
        TrustModel.Shuffle => "the shuffler",
        _ => "nobody",
    };
}

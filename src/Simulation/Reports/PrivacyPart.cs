using Federated.Privacy;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Statements;
using Federated.Simulation.Reports.Charts;
using Federated.Simulation.Results;

namespace Federated.Simulation.Reports;

/// <summary>The report's part on privacy: the guarantee with all that it rests on, and what accuracy it was had for.</summary>
internal static class PrivacyPart
{
    public static Markup Render(PrivacySummary privacy, IReadOnlyList<MetricsRow> rows)
    {
        var part = new Markup().Add($"<p><strong>{privacy.Line}</strong></p>");
        if ((privacy.Spent ?? privacy.Planned) is { } described)
        {
            part.Add(HtmlPage.Facts(
                ("Spent", privacy.Spent is { } spent ? $"ε = {Readable.Number(spent.Epsilon)}" : "nothing", $"δ = {Readable.Number(described.Delta)}"),
                ("At most", privacy.Planned is { } planned ? $"ε = {Readable.Number(planned.Epsilon)}" : "no bound", "known before the run"),
                ("Protects", described.Relation.ToString(), described.Relation.Unit == PrivacyUnit.Example ? "one example, in all that its client did in the run" : "every client's whole part in the run"),
                ("Trusts", Trusted(described.Trust), ""),
                ("Accountant", described.Accountant, "an upper bound")));
        }

        if (privacy.Statement is { Policy: PrivacyPolicies.Shuffle, Terms: var terms })
        {
            part.Add($"<p>{(terms.WithoutShuffling is { } left
                ? $"Against a malicious shuffler: ε₀ = {Figures.Up(terms.ReportEpsilon)} a report, ε = {Figures.Up(left.Epsilon)} at δ = {Figures.Up(left.Delta)} for a client that reports as often as it may."
                : $"Against a malicious shuffler: ε₀ = {Figures.Up(terms.ReportEpsilon)} a report.")}</p>");
        }

        List(part, "It holds as long as all of this does:", privacy.Statement.Assumptions.Concat(privacy.Notes));
        List(part, "Who sees what:", privacy.Statement.Parties.Select(p => $"{p.Party}{(p.IsTrusted ? " (trusted)" : "")}: {p.Sees}"));
        List(part, "Not protected:", privacy.Statement.NotProtected);
        part.Add(HtmlPage.Details("The statement as one paragraph", new Markup().Add($"<p>{privacy.Statement.Text}</p>")));

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

    /// <summary>Of a run without a policy: that there is none, and what that means.</summary>
    public static Markup RenderNone() => new Markup().Add($"<p>{PrivacyStatement.None(StatementSetting.Simulation).Text}</p>");

    private static void List(Markup part, string title, IEnumerable<string> sentences)
    {
        var all = sentences.ToList();
        if (all.Count == 0)
        {
            return;
        }

        part.Add($"<p>{title}</p><ul>");
        foreach (var sentence in all)
        {
            part.Add($"<li>{sentence}</li>");
        }

        part.Add($"</ul>");
    }

    private static string Trusted(TrustModel trust) => trust switch
    {
        TrustModel.Central => "the server",
        TrustModel.Silo => "everybody's own silo",
        TrustModel.Distributed => "a threshold of the clients",
        TrustModel.Shuffle => "the shuffler",
        _ => "nobody",
    };
}

using System.Globalization;
using System.Text;
using Federated.Coordinator.Hosting;
using Federated.Privacy;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Statements;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Http;

/// <summary>The model card of a run's newest and best version: what it is, where it comes from, what is known of its data, what is promised about privacy.</summary>
/// <remarks>After Mitchell et al., "Model Cards for Model Reporting", FAT* 2019. Everything in it is computed; nothing is invented.</remarks>
internal static class ModelCard
{
    public static string Write(RunDetailMessage run, IRun host, RunDescription description)
    {
        var summary = run.Summary;
        var card = new StringBuilder();
        card.Append("# ").Append(Escape(summary.Name)).Append("\n\n");
        Line(card, "Run", summary.Run);
        Line(card, "State", summary.Detail.Length > 0 ? $"{summary.State}: {summary.Detail}" : summary.State);
        Line(card, "Created", summary.CreatedAt);
        Line(card, "Strategy", summary.Strategy);
        Line(card, "Model", $"{description.Model}, {host.Parts.Layout.Count.ToString("N0", CultureInfo.InvariantCulture)} parameters");
        Line(card, "Branched from", run.BranchedFrom ?? "nothing: it began with its own initial model");
        card.Append("\n## Data\n\n").Append(Escape(description.Data)).Append("\n\n");
        Line(card, "Clients that joined", Number(summary.Clients));
        var statement = RunReports.Spent(description.Privacy, host);
        if (statement.Policy == PrivacyPolicies.None)
        {
            Line(card, "Training examples that they told of", Number((long)run.Clients.Sum(c => c.Examples))); // No part of what a policy covers.
        }

        Line(card, "Client updates accepted, rejected, lost", $"{Number(summary.Accepted)}, {Number(summary.Rejected)}, {Number(summary.Lost)} of {Number(summary.Dispatched)} dispatched");
        Found(card, run.Analysis);
        card.Append("\n## Quality\n\n");
        if (run.Evaluations.Count == 0)
        {
            card.Append("No version has been evaluated.\n");
        }
        else
        {
            var best = run.Evaluations.MaxBy(e => e.Accuracy)!;
            Line(card, "Last evaluation", Score(run.Evaluations[^1]));
            Line(card, "Best evaluation", Score(best));
        }

        if (run.ClientScores is { } scores)
        {
            Line(card, $"On clients' own data, version {Number(scores.Version)}", string.Create(
                CultureInfo.InvariantCulture,
                $"accuracy {scores.Mean:F4} ± {scores.Deviation:F4} over {scores.Clients} clients; lowest {scores.Minimum:F4}, lower decile {scores.LowerDecile:F4}, median {scores.Median:F4}"));
        }

        card.Append("\n## Privacy\n\n").Append(Escape(statement.Text)).Append("\n\n");
        Privacy(card, statement);

        card.Append("\n## Lineage\n\n| version | SHA-256 of the model |\n|---|---|\n");
        foreach (var version in run.Versions)
        {
            card.Append(CultureInfo.InvariantCulture, $"| {version.Version} | `{version.Model.Sha256}` |\n");
        }

        card.Append("\nSHA-256 of the configuration: `")
            .Append(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(host.Entry.Configuration.Span))).Append("`\n");
        return card.ToString();
    }

    private static void Found(StringBuilder card, AnalysisMessage? found)
    {
        if (found is null)
        {
            return;
        }

        card.Append("\n## Estimates\n\n");
        Line(card, "Question", $"{found.Kind} of {found.Question}");
        Line(card, "Reports", $"{Number(found.Reports)}, and {Number(found.Malformed)} that no honest client sends");
        card.Append(CultureInfo.InvariantCulture, $"\n| | estimate | {found.Confidence:P0} interval |\n|---|---|---|\n");
        foreach (var e in found.Estimates)
        {
            card.Append(CultureInfo.InvariantCulture, $"| {Escape(e.Name)} | {e.Value:G5} | {e.Low:G5} to {e.High:G5} |\n");
        }

        card.Append('\n').Append(Escape(string.Join(" ", found.Notes))).Append('\n');
    }

    private static void Privacy(StringBuilder card, PrivacyStatement statement)
    {
        Line(card, "Policy", statement.Policy);
        if (statement.Terms.Relation is not { } relation)
        {
            return;
        }

        Line(card, "Unit and neighbours", relation.ToString());
        Line(card, "At most", statement.Planned is { } planned ? Cost(planned) : "nothing bounds it in advance");
        Line(card, "Spent", statement.Spent is { } spent ? Cost(spent) : "nothing yet");
        if (statement.Inherited is { } inherited)
        {
            Line(card, $"Inherited from version {inherited.Version} of {inherited.Run}", inherited switch
            {
                { Basis: InheritanceBasis.Nothing } => "nothing",
                { IsBounded: true, Guarantee: { } before } => Cost(before),
                _ => "nothing bounds it",
            });
            Line(card, "In all at most", statement.TotalPlanned is { } all ? Cost(all) : "nothing bounds it");
            Line(card, "In all spent", statement.TotalSpent is { } gone ? Cost(gone) : inherited.IsBounded && statement.Spent is null ? "nothing yet" : "nothing bounds it");
        }

        if (statement.Terms.ReportEpsilon > 0)
        {
            Line(card, "ε₀ of one report", Figures.Up(statement.Terms.ReportEpsilon));
        }

        if (statement.Terms.WithoutShuffling is { } left)
        {
            Line(card, "Against a malicious shuffler", Cost(left));
        }

        Line(card, "Accountant", statement.Guarantee?.Accountant ?? "none yet");
        Line(card, "Trusted", statement.Parties.Where(p => p.IsTrusted).Select(p => p.Party).ToList() is { Count: > 0 } trusted ? string.Join(", ", trusted) : "nobody");
    }

    private static string Cost(PrivacyGuarantee guarantee) => $"ε = {Figures.Up(guarantee.Epsilon)} at δ = {Figures.Up(guarantee.Delta)}";

    private static string Score(EvaluationPoint point) =>
        string.Create(CultureInfo.InvariantCulture, $"accuracy {point.Accuracy:F4}, loss {point.Loss:F4} at version {point.Version}");

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static void Line(StringBuilder card, string name, string value) => card.Append("- **").Append(name).Append(":** ").Append(Escape(value)).Append('\n');

    // Names come from people; the card is read in browsers.
    private static string Escape(string text) => text.Replace("<", "&lt;", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal).Replace("\r", "", StringComparison.Ordinal);
}

using System.Globalization;
using System.Text;
using Federated.Privacy.Pipeline;

namespace Federated.Privacy.Statements;

/// <summary>A statement as a paragraph.</summary>
internal static class StatementText
{
    public static string Write(PrivacyStatement statement)
    {
        var text = new StringBuilder();
        if (statement.IsSimulated)
        {
            text.Append("This was a simulation, whose randomness can be repeated from its seed: it protects nobody. The rest is what the same run would say with real clients and "
                + "cryptographic randomness. ");
        }

        var terms = statement.Terms;
        text.Append(CultureInfo.InvariantCulture, $"Policy: {statement.Policy}{(terms.Mechanism.Length > 0 ? $" ({terms.Mechanism})" : "")}. ");
        if (statement.Policy == PrivacyPolicies.None)
        {
            text.Append("Nothing is guaranteed: no ε bounds what updates, or the published versions, reveal of a client's data. Data stay at the clients, and updates travel. ");
        }
        else if (statement.Policy == PrivacyPolicies.SecureSum)
        {
            text.Append("No ε is guaranteed: single updates are hidden inside sums, and nothing bounds what the sums, or the published versions, reveal of a client's data. ");
        }
        else
        {
            Hidden(text, statement);
            Cost(text, statement);
        }

        Before(text, statement);
        Trust(text, statement);
        Enforcement(text, statement);
        Enumerate(text, "This holds as long as all of these do", statement.Assumptions);
        Enumerate(text, "Not protected", statement.NotProtected);
        return text.ToString().TrimEnd();
    }

    public static string Against(Adjacency adjacency) => adjacency switch
    {
        Adjacency.AddRemove => "that it had not been among the clients",
        Adjacency.ReplaceOne => "that it had held any other data",
        _ => "that it had contributed nothing",
    };

    /// <summary>"ε = 4 at δ = 1e-6".</summary>
    public static string Of(PrivacyGuarantee guarantee) => $"ε = {Figures.Up(guarantee.Epsilon)} at δ = {Figures.Up(guarantee.Delta)}";

    private static void Hidden(StringBuilder text, PrivacyStatement statement)
    {
        if (statement.Terms.Relation is not { } relation)
        {
            return;
        }

        var unit = relation.Unit switch
        {
            PrivacyUnit.Client => "one client, with all that it contributes over the whole run",
            PrivacyUnit.Example => "one example of one client",
            _ => "one contribution of one client",
        };
        text.Append(CultureInfo.InvariantCulture, $"Hidden is {unit}, against the alternative {(relation is { Unit: PrivacyUnit.Example, Adjacency: Adjacency.AddRemove } ? "that the client had not held it" : Against(relation.Adjacency))} (neighbouring relation: {relation}). ");
    }

    private static void Cost(StringBuilder text, PrivacyStatement statement)
    {
        text.Append(statement.Planned is { } planned
            ? $"The run costs each client at most {Of(planned)}"
            : "Nothing bounds in advance what the run will cost");
        text.Append(statement.IsSpentUnknown
            ? $"; its ledger cannot be read, so that {(statement.Planned is null ? "nothing bounds what it has cost" : "it counts as having cost all of that")}"
            : statement.Spent is { } spent ? $"; so far the client that it cost most has spent {Of(spent)}" : "; nothing has been spent yet");
        text.Append(statement.Guarantee is { } guarantee ? $". Upper bounds, by the accountant {guarantee.Accountant}. " : ". ");
        if (statement.Policy == PrivacyPolicies.Shuffle)
        {
            text.Append(CultureInfo.InvariantCulture, $"Where the shuffler is malicious, or colludes with the coordinator, each report is left with its own ε₀ = {Figures.Up(statement.Terms.ReportEpsilon)}");
            text.Append(statement.Terms.WithoutShuffling is { } left ? $", and a client that reports as often as it may with {Of(left)}. " : ". ");
        }
    }

    /// <summary>A branch's cost is never told without what came before it.</summary>
    private static void Before(StringBuilder text, PrivacyStatement statement)
    {
        if (statement.Inherited is not { } inherited)
        {
            return;
        }

        text.Append(CultureInfo.InvariantCulture, $"The run was branched from version {inherited.Version} of '{inherited.Run}'");
        if (inherited.Basis == InheritanceBasis.Nothing)
        {
            text.Append(", which no client's data had been used for: it inherits no cost. ");
            return;
        }

        if (!inherited.IsBounded)
        {
            text.Append(inherited.Basis == InheritanceBasis.Unknown
                ? ", and what that had cost clients before was not written down: nothing bounds the cost of both together. "
                : ", and nothing bounds what that had cost clients before, nor the cost of both together. ");
            return;
        }

        text.Append(CultureInfo.InvariantCulture, $", which had already cost a client up to {Of(inherited.Guarantee!)} {Known(inherited.Basis)}. ");
        text.Append(statement.TotalPlanned is { } planned
            ? $"In all, a client that took part in both is left with at most {Of(planned)}"
            : "Nothing bounds in advance what both cost together");
        text.Append(statement.TotalSpent is { } spent
            ? $", of which {Of(spent)} {(statement.Spent is null ? "was spent before the branch" : "has been spent so far")}, by basic composition: ε adds, δ adds. "
            : ". ");
    }

    private static string Known(InheritanceBasis basis) => basis switch
    {
        InheritanceBasis.AtVersion => "when it was published",
        InheritanceBasis.Latest => "by the time of the branch",
        _ => "by its plan",
    };

    private static void Trust(StringBuilder text, PrivacyStatement statement)
    {
        var trusted = statement.Parties.Where(p => p.IsTrusted).ToList();
        if (statement.Policy != PrivacyPolicies.None)
        {
            text.Append(trusted.Count == 0 ? "Nobody has to be trusted but the client's own device. " : $"Trusted: {string.Join("; ", trusted.Select(p => $"{p.Party}, which sees {p.Sees}"))}. ");
        }

        foreach (var party in statement.Policy == PrivacyPolicies.None ? statement.Parties : statement.Parties.Where(p => !p.IsTrusted))
        {
            text.Append(char.ToUpperInvariant(party.Party[0])).Append(party.Party, 1, party.Party.Length - 1).Append(CultureInfo.InvariantCulture, $" sees {party.Sees}. ");
        }
    }

    private static void Enforcement(StringBuilder text, PrivacyStatement statement)
    {
        var limits = statement.Terms.Limits;
        if (limits.Cap > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"No client takes part more than {Times(limits.Cap)}{(limits.RestartEvery > 0 ? $" in any {limits.RestartEvery} releases" : "")}");
            text.Append(limits.Separation > 1 ? $", nor twice within {limits.Separation} releases" : "").Append(limits.Because.Length > 0 ? $", {limits.Because}. " : ". ");
        }

        if (limits.Releases > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"The run publishes at most {limits.Releases} versions{(limits.Because.Length > 0 ? $", {limits.Because}" : "")}. ");
        }

        if (limits.Cap > 0 || limits.Releases > 0)
        {
            text.Append("Every step is charged before it is taken, and the run ends before one that would go further. ");
        }
    }

    private static string Times(int count) => count == 1 ? "once" : string.Create(CultureInfo.InvariantCulture, $"{count} times");

    private static void Enumerate(StringBuilder text, string title, IReadOnlyList<string> sentences)
    {
        if (sentences.Count == 0)
        {
            return;
        }

        text.Append(title).Append(": ");
        for (var i = 0; i < sentences.Count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"({i + 1}) {sentences[i].TrimEnd('.')}").Append(i + 1 < sentences.Count ? "; " : ". ");
        }
    }
}

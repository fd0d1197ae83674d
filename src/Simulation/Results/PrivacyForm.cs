using System.Text.Json;
using Federated.Privacy;
using Federated.Privacy.Pipeline;
using Federated.Privacy.Statements;
using Federated.Simulation.Engine;

namespace Federated.Simulation.Results;

/// <summary>The object <c>privacy</c> of <c>summary.json</c>: all that an ε is worth nothing without.</summary>
internal static class PrivacyForm
{
    public static void Write(PrivacySummary? privacy, Utf8JsonWriter json)
    {
        json.WritePropertyName("privacy");
        if (privacy is null)
        {
            json.WriteNullValue();
            return;
        }

        var (statement, terms, limits) = (privacy.Statement, privacy.Statement.Terms, privacy.Statement.Terms.Limits);
        json.WriteStartObject();
        json.WriteString("policy", privacy.Policy);
        json.WriteString("mechanism", terms.Mechanism);
        json.WriteString("statement", statement.Text);
        json.WriteBoolean("simulated", statement.IsSimulated);
        Guarantee(json, "spent", statement.Spent);
        Guarantee(json, "planned", statement.Planned);
        Guarantee(json, "without_shuffling", terms.WithoutShuffling);
        json.WriteString("unit", terms.Relation is { } r ? Words.Spell(r.Unit) : null);
        json.WriteString("adjacency", terms.Relation is { } relation ? Words.Spell(relation.Adjacency) : null);
        json.WriteString("sampling", Words.Spell(terms.Sampling));
        json.WriteBoolean("clip_adapts", terms.ClipAdapts);
        foreach (var (name, number) in (ReadOnlySpan<(string, double)>)[
            ("clip_norm", terms.ClipNorm), ("noise_multiplier", terms.NoiseMultiplier), ("report_epsilon", terms.ReportEpsilon), ("epsilon_budget", terms.EpsilonBudget), ("delta", terms.Delta),
            ("minimum_batch", terms.MinimumBatch), ("assumed_corrupt", terms.AssumedCorrupt), ("cap", limits.Cap), ("separation", limits.Separation),
            ("restart_every", limits.RestartEvery), ("releases", limits.Releases)])
        {
            json.WriteNumber(name, number);
        }

        json.WriteString("because", limits.Because);
        json.WriteStartArray("parties");
        foreach (var party in statement.Parties)
        {
            json.WriteStartObject();
            json.WriteString("party", party.Party);
            json.WriteString("sees", party.Sees);
            json.WriteBoolean("trusted", party.IsTrusted);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        List(json, "not_protected", statement.NotProtected);
        List(json, "notes", privacy.Notes);
        json.WriteEndObject();
    }

    public static PrivacySummary? Read(JsonElement summary) =>
        summary.TryGetProperty("privacy", out var privacy) && privacy.ValueKind == JsonValueKind.Object ? new PrivacySummary(Statement(privacy), List(privacy, "notes")) : null;

    /// <summary>Folders of older builds have fewer parts; their statement then says less.</summary>
    private static PrivacyStatement Statement(JsonElement privacy) => new()
    {
        Policy = privacy.GetProperty("policy").GetString()!,
        IsSimulated = !privacy.TryGetProperty("simulated", out var simulated) || simulated.GetBoolean(),
        Spent = Guarantee(privacy, "spent"),
        Planned = Guarantee(privacy, "planned"),
        Parties = privacy.TryGetProperty("parties", out var parties)
            ? [.. parties.EnumerateArray().Select(p => new StatementParty(p.GetProperty("party").GetString()!, p.GetProperty("sees").GetString()!, p.GetProperty("trusted").GetBoolean()))]
            : [],
        NotProtected = List(privacy, "not_protected"),
        Terms = new PolicyTerms
        {
            Mechanism = Text(privacy, "mechanism"),
            Relation = Text(privacy, "unit") is { Length: > 0 } unit && Text(privacy, "adjacency") is { Length: > 0 } adjacency
                ? new NeighbourRelation(Words.Read<PrivacyUnit>(unit), Words.Read<Adjacency>(adjacency))
                : (Guarantee(privacy, "planned") ?? Guarantee(privacy, "spent"))?.Relation,
            WithoutShuffling = Guarantee(privacy, "without_shuffling"),
            Sampling = Text(privacy, "sampling") is { Length: > 0 } sampling ? Words.Read<SamplingClaim>(sampling) : SamplingClaim.None,
            ClipAdapts = privacy.TryGetProperty("clip_adapts", out var adapts) && adapts.GetBoolean(),
            ClipNorm = Number(privacy, "clip_norm"),
            NoiseMultiplier = Number(privacy, "noise_multiplier"),
            ReportEpsilon = Number(privacy, "report_epsilon"),
            EpsilonBudget = Number(privacy, "epsilon_budget"),
            Delta = Number(privacy, "delta"),
            MinimumBatch = (int)Number(privacy, "minimum_batch"),
            AssumedCorrupt = (int)Number(privacy, "assumed_corrupt"),
            Limits = new ParticipationLimits
            {
                Cap = (int)Number(privacy, "cap"),
                Separation = (int)Number(privacy, "separation"),
                RestartEvery = (int)Number(privacy, "restart_every"),
                Releases = (int)Number(privacy, "releases"),
                Because = Text(privacy, "because"),
            },
        },
    };

    private static void Guarantee(Utf8JsonWriter json, string name, PrivacyGuarantee? guarantee)
    {
        json.WritePropertyName(name);
        if (guarantee is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        if (double.IsFinite(guarantee.Epsilon))
        {
            json.WriteNumber("epsilon", guarantee.Epsilon);
        }
        else
        {
            json.WriteNull("epsilon");
        }

        json.WriteNumber("delta", guarantee.Delta);
        json.WriteString("unit", Words.Spell(guarantee.Relation.Unit));
        json.WriteString("adjacency", Words.Spell(guarantee.Relation.Adjacency));
        json.WriteString("trust", Words.Spell(guarantee.Trust));
        json.WriteString("accountant", guarantee.Accountant);
        List(json, "assumptions", guarantee.Assumptions);
        json.WriteEndObject();
    }

    private static PrivacyGuarantee? Guarantee(JsonElement privacy, string name) =>
        !privacy.TryGetProperty(name, out var element) || element.ValueKind != JsonValueKind.Object ? null : new PrivacyGuarantee
        {
            Epsilon = element.GetProperty("epsilon") is { ValueKind: JsonValueKind.Number } epsilon ? epsilon.GetDouble() : double.PositiveInfinity,
            Delta = element.GetProperty("delta").GetDouble(),
            Relation = new NeighbourRelation(
                Words.Read<PrivacyUnit>(element.GetProperty("unit").GetString()!), Words.Read<Adjacency>(element.GetProperty("adjacency").GetString()!)),
            Trust = Words.Read<TrustModel>(element.GetProperty("trust").GetString()!),
            Accountant = element.GetProperty("accountant").GetString()!,
            Assumptions = List(element, "assumptions"),
        };

    private static void List(Utf8JsonWriter json, string name, IReadOnlyList<string> items)
    {
        json.WriteStartArray(name);
        foreach (var item in items)
        {
            json.WriteStringValue(item);
        }

        json.WriteEndArray();
    }

    private static string[] List(JsonElement element, string name) =>
        element.TryGetProperty(name, out var list) ? [.. list.EnumerateArray().Select(item => item.GetString()!)] : [];

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var text) ? text.GetString() ?? "" : "";

    private static double Number(JsonElement element, string name) => element.TryGetProperty(name, out var number) && number.TryGetDouble(out var value) ? value : 0;
}

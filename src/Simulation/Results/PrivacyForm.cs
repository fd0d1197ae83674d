using System.Text.Json;
using Federated.Privacy;
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

        json.WriteStartObject();
        json.WriteString("policy", privacy.Policy);
        json.WriteString("statement", privacy.Statement);
        Guarantee(json, "spent", privacy.Spent);
        Guarantee(json, "planned", privacy.Planned);
        List(json, "notes", privacy.Notes);
        json.WriteEndObject();
    }

    public static PrivacySummary? Read(JsonElement summary) =>
        summary.TryGetProperty("privacy", out var privacy) && privacy.ValueKind == JsonValueKind.Object
            ? new PrivacySummary(privacy.GetProperty("policy").GetString()!, Guarantee(privacy.GetProperty("spent")), Guarantee(privacy.GetProperty("planned")), List(privacy, "notes"))
            : null;

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

    private static PrivacyGuarantee? Guarantee(JsonElement element) => element.ValueKind != JsonValueKind.Object ? null : new PrivacyGuarantee
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

    private static string[] List(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(item => item.GetString()!)];
}

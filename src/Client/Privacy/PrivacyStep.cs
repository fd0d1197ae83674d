using System.Text.Json;

namespace Federated.Client.Privacy;

/// <summary>What the guard needs of an assignment's privacy step; what it does not know it leaves to whoever takes the step.</summary>
/// <param name="ReportEpsilon">ε₀ of the report; null for none.</param>
/// <param name="Shufflers">Keys of the shufflers that the report passes.</param>
/// <param name="Analyzer">The key that it is sealed to for the coordinator; empty for none.</param>
internal sealed record PrivacyStep(string Kind, double? ReportEpsilon, IReadOnlyList<string> Shufflers, string Analyzer)
{
    /// <summary>Randomised, sealed, and sent to a shuffler.</summary>
    public const string Shuffled = "shuffle";

    /// <returns>Null when nothing is asked for.</returns>
    public static PrivacyStep? Of(JsonElement? privacy)
    {
        if (privacy is not { ValueKind: not JsonValueKind.Null and not JsonValueKind.Undefined } json)
        {
            return null;
        }

        var epsilon = Member(json, "reportEpsilon") is { ValueKind: JsonValueKind.Number } number && number.TryGetDouble(out var value) ? value : (double?)null;
        var shuffle = Member(json, "shuffle");
        return new PrivacyStep(Text(json, "kind"), epsilon, Keys(shuffle), Text(shuffle, "analyzer")) { SumNoise = NoiseOf(json) };
    }

    /// <summary>With a secure sum: noise of its fewest honest members together over C; 0 for none.</summary>
    public double SumNoise { get; init; }

    private static double NoiseOf(JsonElement json)
    {
        var sum = Member(json, "sum");
        var honest = Number(sum, "minimum") - Math.Floor((Number(sum, "most") * Number(sum, "corrupted")) + 1e-9);
        return honest > 0 && Number(json, "clipNorm") is > 0 and var clip ? Number(sum, "localDeviation") * Math.Sqrt(honest) / clip : 0;
    }

    private static double Number(JsonElement json, string name) => Member(json, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetDouble(out var value) ? value : 0;

    private static List<string> Keys(JsonElement shuffle)
    {
        List<string> keys = [];
        if (Member(shuffle, "shufflers") is { ValueKind: JsonValueKind.Array } shufflers)
        {
            foreach (var shuffler in shufflers.EnumerateArray())
            {
                keys.Add(Text(shuffler, "key"));
            }
        }

        return keys;
    }

    private static JsonElement Member(JsonElement json, string name) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var member) ? member : default;

    private static string Text(JsonElement json, string name) => Member(json, name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";
}

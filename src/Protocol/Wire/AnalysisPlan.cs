using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Privacy.Analytics;

namespace Federated.Protocol.Wire;

/// <summary>The plan of a run that asks a question instead of training: the <c>training</c> member of its assignments.</summary>
/// <remarks>
/// The client's ticket (group and hash seed) is expanded from the assignment's <c>seed</c> (<see cref="Ticket.OfCoin"/>), the report goes up as it is under the codec
/// <see cref="Codec"/>, and the privacy step is <see cref="ProtectionMessage.Randomize"/> with the analysis's ε₀. Where it is <see cref="ProtectionMessage.Shuffled"/>, the
/// report is sealed and goes to the shuffler, the group is still the assignment's, and the hash seed is 64 bits of the client's own randomness: an assigned one would tell whose
/// the report is.
/// </remarks>
/// <param name="Analysis">The question.</param>
public sealed record AnalysisPlan(AnalysisOptions Analysis)
{
    /// <summary>Name of the codec: the report's own bytes.</summary>
    public const string Codec = "report";

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, AnalysisJson.Default.AnalysisPlan);

    /// <summary>The plan of an assignment; null when it is one to train.</summary>
    /// <exception cref="JsonException">It asks a question that this build does not know.</exception>
    public static AnalysisPlan? Of(JsonElement plan)
    {
        if (plan.ValueKind != JsonValueKind.Object || !plan.TryGetProperty("analysis", out var analysis) || analysis.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        try
        {
            return plan.Deserialize(AnalysisJson.Default.AnalysisPlan);
        }
        catch (NotSupportedException e)
        {
            throw new JsonException("The question does not say of which kind it is.", e); // A kind that is missing is no JsonException to the serializer.
        }
    }

    /// <summary>What the client does to its answer, as clients' privacy requirements read it.</summary>
    /// <param name="analysis">The question.</param>
    /// <param name="isShuffled">Whether the report is sealed and passes shufflers.</param>
    public static ProtectionMessage Protection(PrivateAnalysis analysis, bool isShuffled = false)
    {
        ArgumentNullException.ThrowIfNull(analysis);
        return new ProtectionMessage(isShuffled ? ProtectionMessage.Shuffled : ProtectionMessage.Randomize, 1, analysis.Kind, analysis.Epsilon);
    }
}

/// <summary>JSON of plans that ask.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    AllowOutOfOrderMetadataProperties = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(AnalysisPlan))]
internal sealed partial class AnalysisJson : JsonSerializerContext;

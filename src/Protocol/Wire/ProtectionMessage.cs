using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Privacy.Pipeline;

namespace Federated.Protocol.Wire;

/// <summary>What a client does to its delta before it is encoded and leaves the device: the <c>privacy</c> member of an assignment.</summary>
/// <param name="Kind"><see cref="Clip"/>, <see cref="Randomize"/>, <see cref="Shuffled"/> or <see cref="SecureSum"/>. A client that does not know it must give the assignment up.</param>
/// <param name="ClipNorm">C, the L2 bound of the delta.</param>
/// <param name="Randomizer">With <see cref="Randomize"/> and <see cref="Shuffled"/>: the unit-vector randomiser's name.</param>
/// <param name="ReportEpsilon">With <see cref="Randomize"/> and <see cref="Shuffled"/>: ε₀ of one report.</param>
/// <param name="Shuffle">With <see cref="Shuffled"/>: where the report goes instead of to the coordinator.</param>
public sealed record ProtectionMessage(string Kind, double ClipNorm, string? Randomizer = null, double? ReportEpsilon = null, ShuffleMessage? Shuffle = null)
{
    /// <summary>The delta is scaled down to L2 norm C where it is longer.</summary>
    public const string Clip = "clip";

    /// <summary>It is clipped, then randomised as a unit vector of one dimension more, with cryptographic randomness.</summary>
    public const string Randomize = "randomize";

    /// <summary>It is clipped and randomised, then sealed, and goes to a shuffler; the coordinator takes no update from the client itself.</summary>
    public const string Shuffled = "shuffle";

    /// <summary>Names the randomiser and its parameters, for the seal of a report: both sides write the same.</summary>
    [JsonIgnore]
    public string RandomizerInWords => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Randomizer} epsilon={ReportEpsilon:R} clip={ClipNorm:R}");

    /// <summary>It is clipped, put on a grid, and summed with others' by secure aggregation: no single update reaches the coordinator.</summary>
    public const string SecureSum = "secure-sum";

    /// <summary>With <see cref="SecureSum"/>: the sums.</summary>
    public SecureSumMessage? Sum { get; init; }

    /// <summary>The client's part of a policy that sums securely.</summary>
    public static ProtectionMessage Of(SecureSumPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return new ProtectionMessage(SecureSum, plan.Options.ClipNorm) { Sum = SecureSumMessage.Of(plan) };
    }

    /// <summary>The client's part of a run's policy; null when it has none.</summary>
    public static ProtectionMessage? Of(PrivacyOptions options) => options switch
    {
        ShufflePrivacyOptions o => new ProtectionMessage(Shuffled, o.ClipNorm, o.Randomizer, o.ReportEpsilon),
        RandomizedReportOptions o => new ProtectionMessage(Randomize, o.ClipNorm, o.Randomizer, o.ReportEpsilon),
        CentralPrivacyOptions { AdaptiveClipping: null } o => new ProtectionMessage(Clip, o.Mechanism.ClipNorm),
        _ => null, // An adaptive bound needs to see by how much updates would be clipped: the server clips.
    };

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, WireJson.Default.ProtectionMessage);

    /// <exception cref="JsonException">It is not one.</exception>
    public static ProtectionMessage Parse(JsonElement json) =>
        json.Deserialize(WireJson.Default.ProtectionMessage) ?? throw new JsonException("The privacy member is null.");
}

using System.Text.Json;
using Federated.Privacy.Pipeline;

namespace Federated.Protocol.Wire;

/// <summary>What a client does to its delta before it is encoded and leaves the device: the <c>privacy</c> member of an assignment.</summary>
/// <param name="Kind"><see cref="Clip"/> or <see cref="Randomize"/>. A client that does not know it must give the assignment up.</param>
/// <param name="ClipNorm">C, the L2 bound of the delta.</param>
/// <param name="Randomizer">With <see cref="Randomize"/>: the unit-vector randomiser's name.</param>
/// <param name="ReportEpsilon">With <see cref="Randomize"/>: ε₀ of one report.</param>
public sealed record ProtectionMessage(string Kind, double ClipNorm, string? Randomizer = null, double? ReportEpsilon = null)
{
    /// <summary>The delta is scaled down to L2 norm C where it is longer.</summary>
    public const string Clip = "clip";

    /// <summary>It is clipped, then randomised as a unit vector of one dimension more, with cryptographic randomness.</summary>
    public const string Randomize = "randomize";

    /// <summary>The client's part of a run's policy; null when it has none.</summary>
    public static ProtectionMessage? Of(PrivacyOptions options) => options switch
    {
        RandomizedReportOptions o => new ProtectionMessage(Randomize, o.ClipNorm, o.Randomizer, o.ReportEpsilon),
        CentralPrivacyOptions { AdaptiveClipping: null } o => new ProtectionMessage(Clip, o.Mechanism.ClipNorm),
        _ => null, // An adaptive bound needs to see by how much updates would be clipped: the server clips.
    };

    public JsonElement ToJson() => JsonSerializer.SerializeToElement(this, WireJson.Default.ProtectionMessage);

    /// <exception cref="JsonException">It is not one.</exception>
    public static ProtectionMessage Parse(JsonElement json) =>
        json.Deserialize(WireJson.Default.ProtectionMessage) ?? throw new JsonException("The privacy member is null.");
}

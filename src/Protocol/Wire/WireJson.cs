using System.Text.Json.Serialization;
using Federated.Privacy.SecureAggregation.Sessions;

namespace Federated.Protocol.Wire;

/// <summary>JSON of the wire: camelCase, unknown members refused, generated at build time so that it survives trimming.</summary>
/// <remarks>What is null is left out: a parameter that may be null needs a default, or its absence would be refused.</remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(EnrolmentRequest))]
[JsonSerializable(typeof(EnrolmentReply))]
[JsonSerializable(typeof(TokenRequest))]
[JsonSerializable(typeof(TokenReply))]
[JsonSerializable(typeof(CheckInRequest))]
[JsonSerializable(typeof(CheckInReply))]
[JsonSerializable(typeof(UpdateDeclaration))]
[JsonSerializable(typeof(UpdateReply))]
[JsonSerializable(typeof(UpdateOutcomeMessage))]
[JsonSerializable(typeof(FailRequest))]
[JsonSerializable(typeof(AssignmentStateMessage))]
[JsonSerializable(typeof(EvaluationReport))]
[JsonSerializable(typeof(ProtectionMessage))]
[JsonSerializable(typeof(SecureSumState))]
[JsonSerializable(typeof(SecureSumFacts))]
[JsonSerializable(typeof(SurvivorsSignature))]
[JsonSerializable(typeof(Advertisement))]
[JsonSerializable(typeof(KeyShares))]
[JsonSerializable(typeof(UnmaskShares))]
[JsonSerializable(typeof(CreateRunRequest))]
[JsonSerializable(typeof(BranchRunRequest))]
[JsonSerializable(typeof(CommandRequest))]
[JsonSerializable(typeof(RunSummaryMessage))]
[JsonSerializable(typeof(RunList))]
[JsonSerializable(typeof(RunDetailMessage))]
[JsonSerializable(typeof(RunPrivacyMessage))]
[JsonSerializable(typeof(StatementMessage))]
[JsonSerializable(typeof(AboutMessage))]
[JsonSerializable(typeof(EnrolmentTokenRequest))]
[JsonSerializable(typeof(AccessTokenRequest))]
[JsonSerializable(typeof(NewTokenMessage))]
[JsonSerializable(typeof(TokenList))]
[JsonSerializable(typeof(ClientList))]
[JsonSerializable(typeof(RotateKeyRequest))]
[JsonSerializable(typeof(RevokeRequest))]
[JsonSerializable(typeof(ProblemMessage))]
[JsonSerializable(typeof(ShufflerMessage))]
[JsonSerializable(typeof(ShufflerList))]
[JsonSerializable(typeof(ShufflingKeysMessage))]
[JsonSerializable(typeof(ReportReply))]
[JsonSerializable(typeof(BatchReply))]
public sealed partial class WireJson : JsonSerializerContext;

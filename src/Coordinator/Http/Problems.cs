using System.Collections.Immutable;
using Federated.Coordinator.Identity;

namespace Federated.Coordinator.Http;

/// <summary>Every error that the coordinator answers with.</summary>
public static class Problems
{
    public static ProblemType Malformed { get; } = new("malformed", 400, "The request is not as docs/protocol.md says");

    public static ProblemType CredentialMissing { get; } = new("credential-missing", 401, "A credential is needed");

    public static ProblemType CredentialInvalid { get; } = new("credential-invalid", 401, "The credential is not one of this coordinator's");

    public static ProblemType TokenExpired { get; } = new("token-expired", 401, "The access token's time is over");

    public static ProblemType TokenRevoked { get; } = new("token-revoked", 401, "The credential was revoked");

    public static ProblemType ClientUnknown { get; } = new("client-unknown", 401, "The client is not enrolled here");

    public static ProblemType AssertionInvalid { get; } = new("assertion-invalid", 401, "The assertion cannot be taken");

    public static ProblemType AssertionExpired { get; } = new("assertion-expired", 401, "The assertion's time is over or has not begun");

    public static ProblemType AssertionReplayed { get; } = new("assertion-replayed", 401, "The assertion was taken before");

    public static ProblemType EnrolmentTokenInvalid { get; } = new("enrolment-token-invalid", 403, "The enrolment token is not good");

    public static ProblemType EnrolmentTokenUsed { get; } = new("enrolment-token-used", 403, "The one-time token was used with another key");

    public static ProblemType NotAllowed { get; } = new("not-allowed", 403, "This role may not do that");

    public static ProblemType AssignmentNotYours { get; } = new("assignment-not-yours", 403, "The assignment is not this client's");

    public static ProblemType PrivacyBudget { get; } = new("privacy-budget", 403, "The client's privacy budget does not cover this run");

    public static ProblemType NotFound { get; } = new("not-found", 404, "There is nothing at this address");

    public static ProblemType RunUnknown { get; } = new("run-unknown", 404, "There is no such run");

    public static ProblemType VersionUnknown { get; } = new("version-unknown", 404, "This version cannot be had");

    public static ProblemType BlobUnknown { get; } = new("blob-unknown", 404, "There is no such blob");

    public static ProblemType UploadUnknown { get; } = new("upload-unknown", 404, "There is no such upload");

    public static ProblemType Method { get; } = new("method", 405, "This address does not take this method");

    public static ProblemType TooSlow { get; } = new("too-slow", 408, "The request came too slowly");

    public static ProblemType RunExists { get; } = new("run-exists", 409, "There is a run of this name already");

    public static ProblemType RunState { get; } = new("run-state", 409, "The run's state does not allow that");

    public static ProblemType UploadOffset { get; } = new("upload-offset", 409, "The upload stands elsewhere");

    public static ProblemType NotMasked { get; } = new("not-masked", 409, "This run takes updates only inside sums");

    public static ProblemType SessionUnknown { get; } = new("session-unknown", 404, "The client is in no session of secure aggregation");

    public static ProblemType SessionRefused { get; } = new("session-refused", 409, "The session of secure aggregation does not take this");

    public static ProblemType LengthRequired { get; } = new("length-required", 411, "The length must be told before the body");

    public static ProblemType TooLarge { get; } = new("too-large", 413, "The body is larger than it may be");

    public static ProblemType MediaType { get; } = new("media-type", 415, "The body is of another type than is taken here");

    public static ProblemType Range { get; } = new("range", 416, "The range lies outside of the bytes");

    public static ProblemType Digest { get; } = new("digest", 422, "The bytes are not those that were declared");

    public static ProblemType NotAnUpdate { get; } = new("not-an-update", 422, "The bytes are no update of this run's model");

    public static ProblemType KeyInvalid { get; } = new("key-invalid", 422, "The public key is not a P-256 key");

    public static ProblemType NotShuffled { get; } = new("not-shuffled", 409, "Updates of this run come through its shuffler only");

    public static ProblemType ShufflerUnknown { get; } = new("shuffler-unknown", 403, "The shuffler is not registered, or not this run's");

    public static ProblemType SignatureInvalid { get; } = new("signature-invalid", 403, "The batch is not signed by the run's shuffler");

    public static ProblemType BatchInvalid { get; } = new("batch-invalid", 422, "The batch is not one of this run's");

    public static ProblemType Configuration { get; } = new("configuration", 422, "The run cannot be configured like this");

    public static ProblemType ProtocolVersion { get; } = new("protocol-version", 426, "This protocol version is not spoken here");

    public static ProblemType TooManyRequests { get; } = new("too-many-requests", 429, "Too many requests");

    public static ProblemType Defect { get; } = new("defect", 500, "A defect of the coordinator");

    public static ProblemType Busy { get; } = new("busy", 503, "Too much is waiting here");

    public static ProblemType Unavailable { get; } = new("unavailable", 503, "The run cannot be asked now");

    public static ProblemType RunFailed { get; } = new("run-failed", 503, "The run is damaged, or has failed");

    public static ProblemType Closing { get; } = new("closing", 503, "The coordinator is stopping");

    /// <summary>All of them.</summary>
    public static ImmutableArray<ProblemType> All { get; } =
    [
        Malformed, CredentialMissing, CredentialInvalid, TokenExpired, TokenRevoked, ClientUnknown, AssertionInvalid, AssertionExpired, AssertionReplayed,
        EnrolmentTokenInvalid, EnrolmentTokenUsed, NotAllowed, AssignmentNotYours, PrivacyBudget, NotFound, RunUnknown, VersionUnknown, BlobUnknown, UploadUnknown, Method,
        TooSlow, RunExists, RunState, UploadOffset, NotMasked, SessionUnknown, SessionRefused, LengthRequired, TooLarge, MediaType, Range, Digest, NotAnUpdate, KeyInvalid, NotShuffled, ShufflerUnknown, SignatureInvalid, BatchInvalid, Configuration,
        ProtocolVersion, TooManyRequests, Defect, Busy, Unavailable, RunFailed, Closing,
    ];

    /// <summary>The problem that a refusal is, and what to do about it.</summary>
    public static (ProblemType Type, string Detail) Of(Refusal refusal) => refusal switch
    {
        Refusal.CredentialMissing => (CredentialMissing, "Send Authorization: Bearer TOKEN, or a client certificate of this coordinator's authority."),
        Refusal.TokenExpired => (TokenExpired, "Get a new one with an assertion at POST /v1/tokens, and send the request again."),
        Refusal.TokenRevoked => (TokenRevoked, "An operator revoked it. Enrol again with a new enrolment token."),
        Refusal.ClientUnknown => (ClientUnknown, "No client of this id has enrolled here. Enrol again."),
        Refusal.AssertionReplayed => (AssertionReplayed, "Each jti is taken once. Make a new assertion for every request."),
        Refusal.AssertionInvalid => (AssertionInvalid, "See docs/protocol.md, Access tokens."),
        Refusal.AssertionExpired => (AssertionExpired, "Check the client's clock."),
        Refusal.EnrolmentTokenInvalid => (EnrolmentTokenInvalid, "The enrolment token is unknown, expired or revoked. Ask an operator for a new one (fed tokens enrol)."),
        Refusal.EnrolmentTokenUsed => (EnrolmentTokenUsed, "The enrolment token enrolled another client already; each works once. Ask an operator for a new one (fed tokens enrol)."),
        Refusal.KeyInvalid => (KeyInvalid, "Send a P-256 SubjectPublicKeyInfo, DER, base64url without padding."),
        _ => (CredentialInvalid, "This coordinator did not make it, or it was changed on its way."),
    };
}

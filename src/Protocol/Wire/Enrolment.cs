namespace Federated.Protocol.Wire;

/// <summary>Body of <c>POST /v1/clients</c>: a one-time token for a credential.</summary>
/// <param name="Token">The enrolment token that an operator gave out.</param>
/// <param name="PublicKey">The client's P-256 public key: SubjectPublicKeyInfo, DER, base64url. The private key never leaves the client.</param>
/// <param name="Name">What people call the client; shown on the dashboard.</param>
public sealed record EnrolmentRequest(string Token, string PublicKey, string Name);

/// <summary>Reply to an enrolment.</summary>
/// <param name="Client">The client's id: <c>iss</c> and <c>sub</c> of the assertions that it signs.</param>
/// <param name="Coordinator">The coordinator's id: their <c>aud</c>.</param>
public sealed record EnrolmentReply(string Client, string Coordinator);

/// <summary>Body of <c>POST /v1/tokens</c>.</summary>
/// <param name="Assertion">A JWT signed by the client's key (ES256), good for one exchange; see docs/protocol.md.</param>
public sealed record TokenRequest(string Assertion);

/// <summary>Reply to it.</summary>
/// <param name="AccessToken">Goes into <c>Authorization: Bearer</c>; opaque to the client.</param>
public sealed record TokenReply(string AccessToken, double SecondsLeft);

namespace Federated.Coordinator.Identity;

/// <summary>Why somebody was not let in. Each has a problem type of its own on the wire.</summary>
public enum Refusal
{
    None,

    /// <summary>No credential came with the request.</summary>
    CredentialMissing,

    /// <summary>The credential is not one of this coordinator's, or has been changed on the way.</summary>
    CredentialInvalid,

    /// <summary>The access token's time is over: get a new one.</summary>
    TokenExpired,

    /// <summary>The credential was revoked; only enrolling again helps.</summary>
    TokenRevoked,

    /// <summary>No client of this id is enrolled.</summary>
    ClientUnknown,

    /// <summary>The assertion was taken before.</summary>
    AssertionReplayed,

    /// <summary>The assertion is not as docs/protocol.md says, or its signature does not check.</summary>
    AssertionInvalid,

    /// <summary>The assertion's time is over, or has not begun: check the clocks.</summary>
    AssertionExpired,

    /// <summary>No such enrolment token, or its time is over, or it was revoked.</summary>
    EnrolmentTokenInvalid,

    /// <summary>The one-time token was used with another key.</summary>
    EnrolmentTokenUsed,

    /// <summary>The public key is not a P-256 key in the form that is asked.</summary>
    KeyInvalid,
}

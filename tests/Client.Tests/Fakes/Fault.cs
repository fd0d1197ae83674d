namespace Federated.Client.Tests.Fakes;

/// <summary>What becomes of one request.</summary>
internal enum Fault
{
    None,

    /// <summary>The connection breaks before the coordinator hears of it.</summary>
    RequestLost,

    /// <summary>The coordinator does what is asked, and its reply is lost.</summary>
    ReplyLost,

    /// <summary>The access token has run out.</summary>
    TokenExpired,

    /// <summary>503 with Retry-After.</summary>
    Busy,

    /// <summary>422: the bytes are no update of this run's model.</summary>
    NotAnUpdate,

    /// <summary>413: more than it takes in one request.</summary>
    TooLarge,

    /// <summary>Nothing comes back, ever: the caller has to give up waiting.</summary>
    Silence,
}

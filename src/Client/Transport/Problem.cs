using System.Globalization;

namespace Federated.Client.Transport;

/// <summary>Why a request did not succeed: the coordinator's problem+json, or a connection that did not hold.</summary>
/// <param name="Status">The HTTP status; 0 when no answer came.</param>
/// <param name="Type">The stable name (<c>token-expired</c>, <c>upload-offset</c>, …); empty when there is none.</param>
/// <param name="Detail">A sentence for people.</param>
public sealed record Problem(int Status, string Type, string Detail)
{
    /// <summary>The access token is over; a new one helps.</summary>
    public const string TokenExpired = "token-expired";

    /// <summary>The client's credential was withdrawn.</summary>
    public const string TokenRevoked = "token-revoked";

    /// <summary>The coordinator does not know the client.</summary>
    public const string ClientUnknown = "client-unknown";

    /// <summary>The coordinator does not speak this version of the wire.</summary>
    public const string ProtocolVersion = "protocol-version";

    /// <summary>An upload stands elsewhere; <see cref="UploadOffset"/> says where.</summary>
    public const string WrongOffset = "upload-offset";

    /// <summary>Bytes came that have another digest than was said.</summary>
    public const string Digest = "digest";

    /// <summary>The client is in no session of secure aggregation.</summary>
    public const string SessionUnknown = "session-unknown";

    /// <summary>The session of secure aggregation does not take this step.</summary>
    public const string SessionRefused = "session-refused";

    /// <summary>How long the coordinator asks to be left alone; null when it does not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Where an upload stands, with <see cref="WrongOffset"/>.</summary>
    public long? UploadOffset { get; init; }

    /// <summary>Versions of the wire that the coordinator speaks, with <see cref="ProtocolVersion"/>; null when it does not say.</summary>
    public (int Oldest, int Current)? Speaks { get; init; }

    /// <summary>Whether the same request may succeed later: the connection broke, or the coordinator was busy, full or away.</summary>
    public bool IsTransient => Status is 0 or 408 or 425 or 429 or 500 or 502 or 503 or 504;

    /// <summary>Whether only a new enrolment helps.</summary>
    public bool NeedsEnrolment => Type is TokenRevoked or ClientUnknown;

    public override string ToString() => Status == 0
        ? Detail
        : string.Create(CultureInfo.InvariantCulture, $"{Detail} ({Status}{(Type.Length == 0 ? "" : " ")}{Type})");
}

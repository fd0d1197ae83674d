using Federated.Protocol;
using Federated.Protocol.Wire;

namespace Federated.Client.Transport;

/// <summary>
/// The requests of docs/protocol.md, one method each, over whatever carries them. Each is sent once: repeating, waiting and getting tokens
/// is the session's business, so that every transport behaves alike.
/// </summary>
/// <remarks>
/// A request that does not succeed ends in a <see cref="ClientException"/> with a <see cref="ClientException.Problem"/>. Weights pass
/// through streams; nothing of their size is buffered. Calls may overlap.
/// </remarks>
public interface ITransport : IAsyncDisposable
{
    /// <summary>True when the transport itself proves who the client is (mutual TLS, in-process): then there is no enrolment and no token.</summary>
    bool Authenticates { get; }

    /// <summary>Goes with every request but enrolment and the token request; null for none.</summary>
    string? AccessToken { get; set; }

    /// <summary>The version of the wire that requests carry.</summary>
    int Version { get; set; }

    /// <summary>The coordinator's clock minus this device's, as the last reply told; zero when nothing is known. A device's clock may be years off.</summary>
    TimeSpan ClockSkew { get; }

    ValueTask<EnrolmentReply> EnrolAsync(EnrolmentRequest request, CancellationToken cancellation);

    ValueTask<TokenReply> GetTokenAsync(TokenRequest request, CancellationToken cancellation);

    ValueTask<CheckInReply> CheckInAsync(string run, CheckInRequest request, CancellationToken cancellation);

    /// <summary>Appends the rest of a blob: from <paramref name="destination"/>'s position, or from the start, to which it is then cut back.</summary>
    /// <param name="destination">Can seek; its position says how much is there.</param>
    ValueTask DownloadAsync(BlobReference blob, Stream destination, CancellationToken cancellation);

    /// <summary>Asks whether an assignment is still wanted; a long poll of so many seconds.</summary>
    ValueTask<AssignmentStateMessage> GetAssignmentAsync(string run, long assignment, double waitSeconds, CancellationToken cancellation);

    /// <summary>Declares an update: what the coordinator still needs, or the outcome.</summary>
    ValueTask<UpdateReply> DeclareAsync(string run, long assignment, UpdateDeclaration declaration, CancellationToken cancellation);

    /// <summary>Sends a small update whole.</summary>
    /// <param name="parts">The delta's bytes, then the extras', in the declaration's order.</param>
    ValueTask<UpdateOutcomeMessage> SendAsync(
        string run, long assignment, UpdateDeclaration declaration, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellation);

    /// <summary>Where an upload stands, in bytes.</summary>
    ValueTask<long> GetUploadOffsetAsync(string location, CancellationToken cancellation);

    /// <summary>Appends to an upload.</summary>
    /// <param name="offset">Where it stands.</param>
    /// <param name="bytes">At the first byte to send.</param>
    /// <param name="count">Bytes to send.</param>
    /// <returns>Where it stands now.</returns>
    ValueTask<long> AppendAsync(string location, long offset, Stream bytes, long count, CancellationToken cancellation);

    /// <summary>Asks what the run says about privacy.</summary>
    ValueTask<RunPrivacyMessage> GetPrivacyAsync(string run, CancellationToken cancellation);

    /// <summary>Sends a sealed report to a shuffler, which knows nothing of this client: no token and no certificate goes with it.</summary>
    /// <param name="proof">That the ticket in the envelope is the coordinator's, to be shown before the envelope.</param>
    ValueTask SendReportAsync(Uri shuffler, string proof, ReadOnlyMemory<byte> envelope, CancellationToken cancellation) =>
        throw new ClientException("The run's reports pass a shuffler, and this transport reaches none.");

    /// <summary>Gives an assignment up.</summary>
    ValueTask FailAsync(string run, long assignment, FailRequest request, CancellationToken cancellation);

    /// <summary>Reports an evaluation of a version on the client's own data.</summary>
    ValueTask ReportEvaluationAsync(string run, int version, EvaluationReport report, CancellationToken cancellation);

    /// <summary>Takes a step of a secure-aggregation session.</summary>
    /// <param name="step">One of <see cref="SecureSumSteps"/>.</param>
    /// <param name="body">JSON, or packed words.</param>
    ValueTask SendSecureSumAsync(string run, long assignment, string step, ReadOnlyMemory<byte> body, CancellationToken cancellation) =>
        throw new ClientException("This transport does not carry secure aggregation.");

    /// <summary>How the session stands; a long poll until it is past a phase.</summary>
    /// <param name="after">A phase's name; empty to be told at once.</param>
    ValueTask<SecureSumState> GetSecureSumAsync(string run, long assignment, string after, double waitSeconds, CancellationToken cancellation) =>
        throw new ClientException("This transport does not carry secure aggregation.");
}

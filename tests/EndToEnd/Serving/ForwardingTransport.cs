using Federated.Client;
using Federated.Client.Transport;
using Federated.Protocol.Wire;

namespace Federated.EndToEnd.Serving;

/// <summary>A transport around another, for what a test wants otherwise.</summary>
internal abstract class ForwardingTransport(HttpTransport inner) : ITransport
{
    public bool Authenticates => inner.Authenticates;

    public string? AccessToken { get => inner.AccessToken; set => inner.AccessToken = value; }

    public int Version { get => inner.Version; set => inner.Version = value; }

    public TimeSpan ClockSkew => inner.ClockSkew;

    public ValueTask<EnrolmentReply> EnrolAsync(EnrolmentRequest request, CancellationToken cancellation) => inner.EnrolAsync(request, cancellation);

    public ValueTask<TokenReply> GetTokenAsync(TokenRequest request, CancellationToken cancellation) => inner.GetTokenAsync(request, cancellation);

    public virtual ValueTask<CheckInReply> CheckInAsync(string run, CheckInRequest request, CancellationToken cancellation) => inner.CheckInAsync(run, request, cancellation);

    public ValueTask DownloadAsync(Protocol.BlobReference blob, Stream destination, CancellationToken cancellation) => inner.DownloadAsync(blob, destination, cancellation);

    public ValueTask<AssignmentStateMessage> GetAssignmentAsync(string run, long assignment, double waitSeconds, CancellationToken cancellation) =>
        inner.GetAssignmentAsync(run, assignment, waitSeconds, cancellation);

    public ValueTask<UpdateReply> DeclareAsync(string run, long assignment, UpdateDeclaration declaration, CancellationToken cancellation) => inner.DeclareAsync(run, assignment, declaration, cancellation);

    public ValueTask<UpdateOutcomeMessage> SendAsync(string run, long assignment, UpdateDeclaration declaration, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellation) =>
        inner.SendAsync(run, assignment, declaration, parts, cancellation);

    public virtual ValueTask SendReportAsync(Uri shuffler, string proof, ReadOnlyMemory<byte> envelope, CancellationToken cancellation) => inner.SendReportAsync(shuffler, proof, envelope, cancellation);

    public ValueTask<long> GetUploadOffsetAsync(string location, CancellationToken cancellation) => inner.GetUploadOffsetAsync(location, cancellation);

    public ValueTask<long> AppendAsync(string location, long offset, Stream bytes, long count, CancellationToken cancellation) => inner.AppendAsync(location, offset, bytes, count, cancellation);

    public ValueTask<RunPrivacyMessage> GetPrivacyAsync(string run, CancellationToken cancellation) => inner.GetPrivacyAsync(run, cancellation);

    public ValueTask FailAsync(string run, long assignment, FailRequest request, CancellationToken cancellation) => inner.FailAsync(run, assignment, request, cancellation);

    public ValueTask ReportEvaluationAsync(string run, int version, EvaluationReport report, CancellationToken cancellation) => inner.ReportEvaluationAsync(run, version, report, cancellation);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}

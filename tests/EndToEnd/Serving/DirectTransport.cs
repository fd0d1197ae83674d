using Federated.Client;
using Federated.Client.Transport;
using Federated.Protocol.Wire;

namespace Federated.EndToEnd.Serving;

/// <summary>A client that goes around the shuffler.</summary>
internal sealed class DirectTransport(HttpTransport inner) : ITransport
{
    private string run = "";
    private long assignment;

    public string Problem { get; private set; } = "";

    public bool Authenticates => inner.Authenticates;

    public string? AccessToken { get => inner.AccessToken; set => inner.AccessToken = value; }

    public int Version { get => inner.Version; set => inner.Version = value; }

    public TimeSpan ClockSkew => inner.ClockSkew;

    public ValueTask<EnrolmentReply> EnrolAsync(EnrolmentRequest request, CancellationToken cancellation) => inner.EnrolAsync(request, cancellation);

    public ValueTask<TokenReply> GetTokenAsync(TokenRequest request, CancellationToken cancellation) => inner.GetTokenAsync(request, cancellation);

    public async ValueTask<CheckInReply> CheckInAsync(string run, CheckInRequest request, CancellationToken cancellation)
    {
        var reply = await inner.CheckInAsync(run, request, cancellation);
        (this.run, assignment) = (run, reply.Assignment?.Id ?? assignment);
        return reply;
    }

    public ValueTask DownloadAsync(Protocol.BlobReference blob, Stream destination, CancellationToken cancellation) => inner.DownloadAsync(blob, destination, cancellation);

    public ValueTask<AssignmentStateMessage> GetAssignmentAsync(string run, long assignment, double waitSeconds, CancellationToken cancellation) =>
        inner.GetAssignmentAsync(run, assignment, waitSeconds, cancellation);

    public ValueTask<UpdateReply> DeclareAsync(string run, long assignment, UpdateDeclaration declaration, CancellationToken cancellation) => inner.DeclareAsync(run, assignment, declaration, cancellation);

    public ValueTask<UpdateOutcomeMessage> SendAsync(string run, long assignment, UpdateDeclaration declaration, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken cancellation) =>
        inner.SendAsync(run, assignment, declaration, parts, cancellation);

    public async ValueTask SendReportAsync(Uri shuffler, ReadOnlyMemory<byte> envelope, CancellationToken cancellation)
    {
        var bytes = envelope.ToArray();
        var declaration = new UpdateDeclaration
        {
            Delta = new Protocol.BlobReference(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)), bytes.Length), Examples = 0, LocalSteps = 1,
        };
        try
        {
            await inner.SendAsync(run, assignment, declaration, [bytes], cancellation);
        }
        catch (ClientException e)
        {
            Problem = e.Problem!.Type;
            throw;
        }
    }

    public ValueTask<long> GetUploadOffsetAsync(string location, CancellationToken cancellation) => inner.GetUploadOffsetAsync(location, cancellation);

    public ValueTask<long> AppendAsync(string location, long offset, Stream bytes, long count, CancellationToken cancellation) => inner.AppendAsync(location, offset, bytes, count, cancellation);

    public ValueTask<RunPrivacyMessage> GetPrivacyAsync(string run, CancellationToken cancellation) => inner.GetPrivacyAsync(run, cancellation);

    public ValueTask FailAsync(string run, long assignment, FailRequest request, CancellationToken cancellation) => inner.FailAsync(run, assignment, request, cancellation);

    public ValueTask ReportEvaluationAsync(string run, int version, EvaluationReport report, CancellationToken cancellation) => inner.ReportEvaluationAsync(run, version, report, cancellation);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}

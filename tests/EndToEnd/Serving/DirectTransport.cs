using Federated.Client;
using Federated.Client.Transport;
using Federated.Protocol.Wire;

namespace Federated.EndToEnd.Serving;

/// <summary>A client that goes around the shuffler.</summary>
internal sealed class DirectTransport(HttpTransport inner) : ForwardingTransport(inner)
{
    private string run = "";
    private long assignment;

    public string Problem { get; private set; } = "";

    public override async ValueTask<CheckInReply> CheckInAsync(string run, CheckInRequest request, CancellationToken cancellation)
    {
        var reply = await base.CheckInAsync(run, request, cancellation);
        (this.run, assignment) = (run, reply.Assignment?.Id ?? assignment);
        return reply;
    }

    public override async ValueTask SendReportAsync(Uri shuffler, string proof, ReadOnlyMemory<byte> envelope, CancellationToken cancellation)
    {
        var bytes = envelope.ToArray();
        var declaration = new UpdateDeclaration
        {
            Delta = new Protocol.BlobReference(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)), bytes.Length), Examples = 0, LocalSteps = 1,
        };
        try
        {
            await SendAsync(run, assignment, declaration, [bytes], cancellation);
        }
        catch (ClientException e)
        {
            Problem = e.Problem!.Type;
            throw;
        }
    }
}

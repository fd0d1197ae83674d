using System.Collections.Immutable;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Telemetry;
using Federated.Protocol;
using Federated.Protocol.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Federated.Coordinator.Http;

/// <summary>Updates: small ones in one request, others by declaration and <see cref="UploadEndpoints">uploads</see>. Nothing is posted before its digest has been checked.</summary>
/// <remarks>
/// A blob no larger than the run's inline limit travels in the log's own record, so that one sync makes bytes and event durable; a larger
/// one is streamed into the blob store. What a client may send is known before its body is read: the run's layout and codec say how long an
/// update can be.
/// </remarks>
internal sealed partial class UpdateEndpoints(CoordinatorService service)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/runs/{run}/assignments/{assignment}/update", SendAsync).WithMetadata(Access.Client,
            new Says("Send an update (application/vnd.federated.update), or declare one (JSON).", WireJson.Default.UpdateDeclaration, Reply: WireJson.Default.UpdateReply));
    }

    private async Task SendAsync(HttpContext context)
    {
        if (await context.AssignmentAsync(service).ConfigureAwait(false) is not var (host, client, assignment))
        {
            return;
        }

        if (host.Parts.SecureSum is not null)
        {
            await context.RefuseAsync(Problems.NotMasked, "Nobody is to see a single update of this run. Join a session of secure aggregation (docs/protocol.md); nothing was read.").ConfigureAwait(false);
            return;
        }

        if (host.Parts.Shuffle is { } terms)
        {
            await context.RefuseAsync(
                Problems.NotShuffled, $"Reports of this run pass '{terms.Shufflers[0]}' first; one that came from its client is not read. The assignment says where to send it.").ConfigureAwait(false);
            return;
        }

        switch (context.Request.ContentType)
        {
            case UpdateEnvelope.ContentType:
                await TakeEnvelopeAsync(context, host, client, assignment).ConfigureAwait(false);
                break;
            case { } json when json.StartsWith("application/json", StringComparison.OrdinalIgnoreCase):
                if (await JsonBody.ReadAsync(context, WireJson.Default.UpdateDeclaration, UpdateEnvelope.MaxDeclaration).ConfigureAwait(false) is { } declaration
                    && await CheckAsync(context, host, declaration).ConfigureAwait(false))
                {
                    await SubmitAsync(context, host, client, assignment, declaration, [], [], 0, isEnvelope: false).ConfigureAwait(false);
                }

                break;
            default:
                await context.RefuseAsync(Problems.MediaType, $"Send {UpdateEnvelope.ContentType}, or a declaration as application/json.").ConfigureAwait(false);
                break;
        }
    }

    private async Task SubmitAsync(
        HttpContext context, IRun host, ClientId client, AssignmentId assignment, UpdateDeclaration declaration,
        ImmutableArray<InlineBlob> inline, ImmutableArray<InlineBlob> atHand, double uploadSeconds, bool isEnvelope)
    {
        using var activity = Tracing.Update(host.Entry.Id, assignment, context.Who().Id);
        var bytesDown = declaration.DownloadSeconds > 0 && host.View.Versions.Values.LastOrDefault() is { } version
            ? version.Model.Length + version.Extras.Values.Sum(e => e.Length)
            : 0;
        var submission = new UpdateSubmission(assignment, client, WireReplies.ReportOf(declaration, uploadSeconds, bytesDown), declaration.Ready) { Inline = inline, AtHand = atHand };
        var begun = service.Clock.GetTimestamp();
        var result = await host.SubmitAsync(submission, context.RequestAborted).ConfigureAwait(false);
        service.Metrics.Settled(result, service.Clock.GetElapsedTime(begun));
        if (result switch { UpdateTaken taken => taken.Next, UpdateRefused refused => refused.Next, _ => null } is Granted next)
        {
            Tracing.Granted(host.Entry.Id, next.Assignment, context.Who().Id); // The next trace begins without a check-in of its own.
        }

        switch (result)
        {
            case UpdateTaken taken:
                await AnswerAsync(context, WireReplies.Taken(taken, host.Parts), isEnvelope).ConfigureAwait(false);
                break;
            case UpdateRefused { Reason: Runs.Rejection.NotYours or Runs.Rejection.Unknown } refused:
                await context.RefuseAsync(Problems.AssignmentNotYours, refused.Detail).ConfigureAwait(false);
                break;
            case UpdateRefused refused:
                await AnswerAsync(context, WireReplies.Refused(refused, host.Parts), isEnvelope).ConfigureAwait(false);
                break;
            case NotAnUpdate wrong:
                await context.RefuseAsync(Problems.NotAnUpdate, wrong.Problem).ConfigureAwait(false);
                break;
            case BlobsMissing missing:
                await BeginUploadsAsync(context, host, assignment, missing.Blobs).ConfigureAwait(false);
                break;
            case UpdateNotAsked refused:
                await context.RefuseAsync(refused.Outcome, refused.RetryAfter).ConfigureAwait(false);
                break;
        }
    }

    private static Task AnswerAsync(HttpContext context, UpdateOutcomeMessage outcome, bool isEnvelope) => isEnvelope
        ? JsonBody.WriteAsync(context, outcome, WireJson.Default.UpdateOutcomeMessage)
        : JsonBody.WriteAsync(context, new UpdateReply(new Dictionary<string, string>(), outcome), WireJson.Default.UpdateReply);

    private async Task BeginUploadsAsync(HttpContext context, IRun host, AssignmentId assignment, ImmutableArray<BlobReference> blobs)
    {
        var locations = new Dictionary<string, string>();
        foreach (var blob in blobs)
        {
            if (service.Uploads!.Begin(context.Who().Id, host.Entry.Id, assignment, blob) is not { } upload)
            {
                await context.RefuseAsync(Problems.Busy, "Too many unfinished uploads lie here; declare this one later.", TimeSpan.FromSeconds(30)).ConfigureAwait(false);
                return;
            }

            locations[blob.Sha256] = $"/v1/uploads/{upload.Id}";
        }

        await JsonBody.WriteAsync(context, new UpdateReply(locations, null), WireJson.Default.UpdateReply).ConfigureAwait(false);
    }

    /// <summary>Whether what is announced could be an update of this run at all; answers when it could not.</summary>
    private static async ValueTask<bool> CheckAsync(HttpContext context, IRun host, UpdateDeclaration declaration)
    {
        var limit = host.Parts.MaxUpdateBytes;
        if (declaration.Extras.Count > host.Parts.UplinkVectors)
        {
            await context.RefuseAsync(Problems.NotAnUpdate, $"This run takes {host.Parts.UplinkVectors} vectors beside the delta; {declaration.Extras.Count} are announced.").ConfigureAwait(false);
            return false;
        }

        foreach (var blob in declaration.Extras.Values.Prepend(declaration.Delta))
        {
            if (blob.Length < 0 || blob.Length > limit)
            {
                await context.RefuseAsync(Problems.TooLarge, $"The run's model and codec make updates of at most {limit} bytes; {blob.Length} are announced.").ConfigureAwait(false);
                return false;
            }

            if (!Digests.IsDigest(blob.Sha256))
            {
                await context.RefuseAsync(Problems.Malformed, "sha256 must be 64 lower-case hexadecimal digits.").ConfigureAwait(false);
                return false;
            }
        }

        return true;
    }

}

using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Telemetry;
using Federated.Protocol;
using Federated.Protocol.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Federated.Coordinator.Http;

/// <summary>Updates: small ones in one request, others by declaration and resumable uploads. Nothing is posted before its digest has been checked.</summary>
/// <remarks>
/// A blob no larger than the run's inline limit travels in the log's own record, so that one sync makes bytes and event durable; a larger
/// one is streamed into the blob store. What a client may send is known before its body is read: the run's layout and codec say how long an
/// update can be.
/// </remarks>
internal sealed class UpdateEndpoints(CoordinatorService service)
{
    private const int PrefixLength = 4;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/runs/{run}/assignments/{assignment}/update", SendAsync).WithMetadata(Access.Client,
            new Says("Send an update (application/vnd.federated.update), or declare one (JSON).", WireJson.Default.UpdateDeclaration, Reply: WireJson.Default.UpdateReply));
        routes.MapMethods("/v1/uploads/{upload}", [HttpMethods.Head], StandingAsync).WithMetadata(Access.Client, new Says("Where an upload stands (Upload-Offset)."));
        routes.MapMethods("/v1/uploads/{upload}", [HttpMethods.Patch], AppendAsync).WithMetadata(Access.Client, new Says("Append bytes to an upload.", Status: 204));
    }

    private async Task SendAsync(HttpContext context)
    {
        if (await context.AssignmentAsync(service).ConfigureAwait(false) is not var (host, client, assignment))
        {
            return;
        }

        if (host.View.Host != HostState.Open)
        {
            await context.RefuseAsync(host.View.Host == HostState.Opening ? HostOutcome.Unavailable : HostOutcome.Closed, TimeSpan.FromSeconds(1)).ConfigureAwait(false);
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

    private async Task TakeEnvelopeAsync(HttpContext context, IRun host, ClientId client, AssignmentId assignment)
    {
        var limit = Math.Min(UpdateEnvelope.MaxLength, PrefixLength + UpdateEnvelope.MaxDeclaration + MostBytes(host));
        if (context.Request.ContentLength is not { } length)
        {
            await context.RefuseAsync(Problems.LengthRequired, "Send Content-Length; what is not known to fit is not read.").ConfigureAwait(false);
            return;
        }

        if (length > limit)
        {
            var advice = length > UpdateEnvelope.MaxLength ? "Declare the update first and upload it in pieces." : "This run's model and codec make no update of that size.";
            await context.RefuseAsync(Problems.TooLarge, $"An envelope here has at most {limit} bytes; {length} were announced. {advice}").ConfigureAwait(false);
            return;
        }

        var isLarge = length > CoordinatorOptions.SmallBody;
        var who = context.Who().Id;
        if (isLarge && service.Slots.TryTake(who) is { } problem)
        {
            await context.RefuseAsync(problem, "Too many large bodies are coming in; send this one later.", TimeSpan.FromSeconds(1)).ConfigureAwait(false);
            return;
        }

        try
        {
            RaiseLimit(context, length);
            await ReceiveAsync(context, host, client, assignment, (int)length).ConfigureAwait(false);
        }
        finally
        {
            if (isLarge)
            {
                service.Slots.Release(who);
            }
        }
    }

    private async Task ReceiveAsync(HttpContext context, IRun host, ClientId client, AssignmentId assignment, int length)
    {
        var begun = service.Clock.GetTimestamp();
        var isSmall = length <= CoordinatorOptions.SmallBody;

        // Kept until the update counts: inside the log's record, or at hand so that nobody reads it from the store.
        var envelope = GC.AllocateUninitializedArray<byte>(length).AsMemory();
        await context.Request.Body.ReadExactlyAsync(envelope, context.RequestAborted).ConfigureAwait(false);
        var seconds = service.Clock.GetElapsedTime(begun).TotalSeconds;
        service.Metrics.Received(length);
        if (UpdateEnvelope.Decode(envelope, out var bytes, out var error) is not { } declaration)
        {
            await context.RefuseAsync(Problems.Malformed, error).ConfigureAwait(false);
            return;
        }

        if (!await CheckAsync(context, host, declaration).ConfigureAwait(false))
        {
            return;
        }

        var announced = declaration.Extras.Values.Prepend(declaration.Delta).ToList();
        if (announced.Sum(b => b.Length) != bytes.Length)
        {
            await context.RefuseAsync(
                Problems.Malformed, $"The declaration announces {announced.Sum(b => b.Length)} bytes; {bytes.Length} follow it.").ConfigureAwait(false);
            return;
        }

        var (inline, atHand) = (ImmutableArray.CreateBuilder<InlineBlob>(), ImmutableArray.CreateBuilder<InlineBlob>());
        List<IBlobWriter> held = [];
        try
        {
            foreach (var blob in announced)
            {
                var content = bytes[..(int)blob.Length];
                bytes = bytes[(int)blob.Length..];
                if (blob.Length <= service.Options.Host.Durability.InlineBytes && isSmall)
                {
                    if (!IsDigest(content.Span, blob.Sha256))
                    {
                        await RefuseDigestAsync(context, blob).ConfigureAwait(false);
                        return;
                    }

                    inline.Add(new InlineBlob(blob, content));
                    continue;
                }

                var writer = await service.Registry!.Blobs.CreateAsync(context.RequestAborted).ConfigureAwait(false);
                held.Add(writer);
                await writer.WriteAsync(content, context.RequestAborted).ConfigureAwait(false);
                try
                {
                    await writer.CommitAsync(blob, context.RequestAborted).ConfigureAwait(false);
                    atHand.Add(new InlineBlob(blob, content));
                }
                catch (BlobMismatchException)
                {
                    await RefuseDigestAsync(context, blob).ConfigureAwait(false);
                    return;
                }
            }

            await SubmitAsync(context, host, client, assignment, declaration, inline.ToImmutable(), atHand.ToImmutable(), seconds, isEnvelope: true).ConfigureAwait(false);
        }
        finally
        {
            foreach (var writer in held)
            {
                await writer.DisposeAsync().ConfigureAwait(false);
            }
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

    private static long MostBytes(IRun host) => host.Parts.MaxUpdateBytes * (1 + host.Parts.UplinkVectors);

    private static void RaiseLimit(HttpContext context, long length)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = length;
        }
    }

    private static bool IsDigest(ReadOnlySpan<byte> bytes, string expected)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, digest);
        Span<char> text = stackalloc char[2 * SHA256.HashSizeInBytes];
        return Convert.TryToHexStringLower(digest, text, out _) && text.SequenceEqual(expected);
    }

    private static Task RefuseDigestAsync(HttpContext context, BlobReference blob) =>
        context.RefuseAsync(Problems.Digest, $"The {blob.Length} bytes announced with digest {blob.Sha256} have another digest. Send them again.");

    private Task StandingAsync(HttpContext context)
    {
        if (FindUpload(context) is not { } upload)
        {
            return context.RefuseAsync(Problems.UploadUnknown, "It is finished, was thrown away, or is another client's. Declare the update again.");
        }

        Tell(context, upload);
        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.Headers.CacheControl = "no-store";
        return Task.CompletedTask;
    }

    private async Task AppendAsync(HttpContext context)
    {
        if (FindUpload(context) is not { } upload)
        {
            await context.RefuseAsync(Problems.UploadUnknown, "It is finished, was thrown away, or is another client's. Declare the update again.").ConfigureAwait(false);
            return;
        }

        if (!upload.TryEnter())
        {
            await context.RefuseAsync(Problems.Busy, "Another request is writing to this upload.", TimeSpan.FromSeconds(1)).ConfigureAwait(false);
            return;
        }

        Refused? refused;
        try
        {
            refused = await TakeAsync(context, upload).ConfigureAwait(false);
        }
        finally
        {
            upload.Leave();
        }

        // Said when the upload is free again: whoever hears it may send the next piece at once.
        if (refused is { } why)
        {
            await context.RefuseAsync(why.Problem, why.Detail, why.RetryAfter).ConfigureAwait(false);
        }
    }

    /// <summary>Takes what follows in an upload that is this request's alone.</summary>
    /// <returns>Null when it was taken, and the answer has its headers.</returns>
    private async Task<Refused?> TakeAsync(HttpContext context, Upload upload)
    {
        if (!long.TryParse(context.Request.Headers["Upload-Offset"], NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
        {
            return new Refused(Problems.Malformed, "Send Upload-Offset, the number of bytes that were sent before.");
        }

        if (offset != upload.Offset)
        {
            return new Refused(Problems.UploadOffset, $"The upload stands at {upload.Offset}, not at {offset}.");
        }

        if (context.Request.ContentLength > upload.Blob.Length - offset)
        {
            return new Refused(Problems.TooLarge, $"{upload.Blob.Length - offset} bytes are still to come; {context.Request.ContentLength} were announced.");
        }

        if (service.Slots.TryTake(upload.Client) is { } problem)
        {
            return new Refused(problem, "Too many large bodies are coming in; send this one later.", TimeSpan.FromSeconds(1));
        }

        try
        {
            RaiseLimit(context, upload.Blob.Length - offset);
            var fits = await upload.AppendAsync(context.Request.Body, context.RequestAborted).ConfigureAwait(false);
            service.Metrics.Received(upload.Offset - offset);
            return fits ? await CompleteAsync(context, upload).ConfigureAwait(false) : new Refused(Problems.TooLarge, $"More came than the {upload.Blob.Length} bytes announced.");
        }
        finally
        {
            service.Slots.Release(upload.Client);
        }
    }

    private async Task<Refused?> CompleteAsync(HttpContext context, Upload upload)
    {
        var offset = upload.Offset;
        if (offset == upload.Blob.Length)
        {
            if (!await upload.VerifyAsync(context.RequestAborted).ConfigureAwait(false))
            {
                return new Refused(Problems.Digest, $"The {upload.Blob.Length} bytes have another digest than {upload.Blob.Sha256}. The upload begins anew.");
            }

            await service.Uploads!.CommitAsync(upload, CancellationToken.None).ConfigureAwait(false);
        }

        context.Response.Headers["Upload-Offset"] = offset.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["Upload-Length"] = upload.Blob.Length.ToString(CultureInfo.InvariantCulture);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return null;
    }

    private readonly record struct Refused(ProblemType Problem, string Detail, TimeSpan? RetryAfter = null);

    /// <summary>Only its own client's.</summary>
    private Upload? FindUpload(HttpContext context) =>
        service.Uploads!.Find(context.Value("upload")) is { } upload && upload.Client == context.Who().Id ? upload : null;

    private static void Tell(HttpContext context, Upload upload)
    {
        context.Response.Headers["Upload-Offset"] = upload.Offset.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["Upload-Length"] = upload.Blob.Length.ToString(CultureInfo.InvariantCulture);
    }
}

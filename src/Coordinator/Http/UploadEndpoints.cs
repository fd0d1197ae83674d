using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Federated.Coordinator.Http;

/// <summary>Blobs that come in pieces, for updates that were declared: where one stands, and more of it. Each is its own client's.</summary>
internal sealed class UploadEndpoints(CoordinatorService service)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/v1/uploads/{upload}", [HttpMethods.Head], StandingAsync).WithMetadata(Access.Client, new Says("Where an upload stands (Upload-Offset)."));
        routes.MapMethods("/v1/uploads/{upload}", [HttpMethods.Patch], AppendAsync).WithMetadata(Access.Client, new Says("Append bytes to an upload.", Status: 204));
    }

    /// <summary>Lets a body in of which is known how long it may be.</summary>
    public static void RaiseLimit(HttpContext context, long length)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = length;
        }
    }

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

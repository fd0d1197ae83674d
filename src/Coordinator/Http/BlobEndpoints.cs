using System.Globalization;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Storage;
using Federated.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Federated.Coordinator.Http;

/// <summary>Models and what goes down beside them, streamed, in ranges; by digest for clients, by version for people.</summary>
/// <remarks>Only what stands in a version of some run is handed out: an update of one client is never read by another.</remarks>
internal sealed class BlobEndpoints(CoordinatorService service)
{
    private const int BufferLength = 256 << 10;

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/v1/blobs/{sha256}", [HttpMethods.Get, HttpMethods.Head], GetBlobAsync).WithMetadata(Access.Known,
            new Says("A blob of a version, in ranges."));
        routes.MapMethods("/v1/runs/{run}/models/{version}", [HttpMethods.Get, HttpMethods.Head], GetModelAsync).WithMetadata(Access.Known,
            new Says("A version's model as safetensors: a number, latest or best."));
    }

    private async Task GetBlobAsync(HttpContext context)
    {
        var digest = context.Value("sha256");
        if (Digests.IsDigest(digest) && (Known(digest) ?? await LookForAsync(digest, context.RequestAborted).ConfigureAwait(false)) is { } blob)
        {
            await SendAsync(context, blob, isImmutable: true).ConfigureAwait(false);
            return;
        }

        await context.RefuseAsync(Problems.BlobUnknown, "No run's version holds a blob of that digest; it may have been pruned. Check in again.").ConfigureAwait(false);
    }

    private BlobReference? Known(string digest) => service.Registry!.Runs.Select(run => Held(run.View, digest)).FirstOrDefault(blob => blob is not null);

    /// <summary>Asks the runs themselves: one that lives elsewhere may have been created, or have published a version, that has not been heard of here.</summary>
    private async Task<BlobReference?> LookForAsync(string digest, CancellationToken cancellation)
    {
        await service.Registry!.LearnAsync(cancellation).ConfigureAwait(false);
        foreach (var run in service.Registry!.Runs)
        {
            if (Held(await run.LookAsync(cancellation).ConfigureAwait(false), digest) is { } blob)
            {
                return blob;
            }
        }

        return null;
    }

    private static BlobReference? Held(RunView view, string digest)
    {
        foreach (var version in view.Versions.Values)
        {
            foreach (var blob in version.All)
            {
                if (blob.Sha256 == digest)
                {
                    return blob;
                }
            }
        }

        return null;
    }

    private async Task GetModelAsync(HttpContext context)
    {
        if (await context.RunAsync(service).ConfigureAwait(false) is not { } host)
        {
            return;
        }

        var asked = context.Value("version");
        var view = await host.LookAsync(context.RequestAborted).ConfigureAwait(false);
        if (VersionOf(view, asked) is not { } found)
        {
            if (!await context.IsOpenAsync(host).ConfigureAwait(false))
            {
                return; // It may well hold that version.
            }

            await context.RefuseAsync(
                Problems.VersionUnknown,
                $"Version '{(asked.Length <= 20 ? asked : "?")}' is not held; there are {string.Join(", ", view.Versions.Keys)}, latest and best.").ConfigureAwait(false);
            return;
        }

        context.Response.Headers["Federated-Version"] = found.Version.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{host.Entry.Id}-v{found.Version.ToString(CultureInfo.InvariantCulture)}.safetensors\"";
        await SendAsync(context, found.Model, isImmutable: false).ConfigureAwait(false);
    }

    /// <summary>A version by number, <c>latest</c> or <c>best</c>; null when it is not held.</summary>
    public static (int Version, BlobReference Model)? VersionOf(RunView view, string asked)
    {
        var number = asked switch
        {
            "latest" => view.Version,
            "best" => view.BestVersion >= 0 ? view.BestVersion : view.Version,
            _ => int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : -1,
        };
        return view.Versions.TryGetValue(number, out var version) ? (number, version.Deployed) : null;
    }

    private async Task SendAsync(HttpContext context, BlobReference blob, bool isImmutable)
    {
        var (request, response) = (context.Request, context.Response);
        var tag = $"\"{blob.Sha256}\"";
        response.Headers.ETag = tag;
        response.Headers.AcceptRanges = "bytes";
        response.Headers.CacheControl = isImmutable ? "private, max-age=31536000, immutable" : "private, no-cache";
        if (request.Headers.IfNoneMatch.ToString() is { Length: > 0 } known && known.Contains(tag, StringComparison.Ordinal))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var (from, length) = (0L, blob.Length);
        if (request.Headers.Range.Count == 1 && IsRangeWanted(request, tag))
        {
            if (RangeOf(request.Headers.Range.ToString(), blob.Length) is not { } range)
            {
                response.Headers.ContentRange = $"bytes */{blob.Length}";
                await context.RefuseAsync(Problems.Range, $"The blob has {blob.Length} bytes; ask for one range inside.").ConfigureAwait(false);
                return;
            }

            (from, length) = range;
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = new ContentRangeHeaderValue(from, from + length - 1, blob.Length).ToString();
        }

        response.ContentType = "application/octet-stream";
        response.ContentLength = length;
        if (HttpMethods.IsHead(request.Method))
        {
            return;
        }

        Stream stream;
        try
        {
            stream = await service.Registry!.Blobs.OpenAsync(blob, context.RequestAborted).ConfigureAwait(false);
        }
        catch (StorageException)
        {
            await context.RefuseAsync(Problems.BlobUnknown, "The blob was pruned just now; check in again.").ConfigureAwait(false);
            return;
        }

        await using (stream.ConfigureAwait(false))
        {
            stream.Seek(from, SeekOrigin.Begin);
            var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent((int)Math.Min(BufferLength, Math.Max(1, length)));
            try
            {
                for (var left = length; left > 0;)
                {
                    var read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), context.RequestAborted).ConfigureAwait(false);
                    if (read == 0)
                    {
                        throw new EndOfStreamException($"Blob {blob.Sha256} is {left} bytes shorter than it should be.");
                    }

                    await response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted).ConfigureAwait(false);
                    left -= read;
                }

                service.Metrics.Sent(length);
            }
            finally
            {
                System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    /// <summary>A range of other bytes than those that are here is no use to anybody (RFC 9110 §13.1.5).</summary>
    private static bool IsRangeWanted(HttpRequest request, string tag) => request.Headers.IfRange.Count == 0 || request.Headers.IfRange.ToString() == tag;

    private static (long From, long Length)? RangeOf(string header, long total)
    {
        if (!RangeHeaderValue.TryParse(header, out var parsed) || parsed.Unit != "bytes" || parsed.Ranges.Count != 1)
        {
            return null;
        }

        var range = parsed.Ranges.First();
        var (from, to) = (range.From, range.To) switch
        {
            ({ } f, { } t) => (f, Math.Min(t, total - 1)),
            ({ } f, null) => (f, total - 1),
            (null, { } last) => (Math.Max(0, total - last), total - 1),
            _ => (0, -1),
        };
        return from <= to && from < total ? (from, to - from + 1) : null;
    }
}

using Federated.Coordinator.Storage;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Federated.Coordinator.Http;

/// <summary>Whatever an endpoint lets through becomes a problem; what a client did by going away becomes nothing.</summary>
internal sealed partial class Failures(RequestDelegate next, ILogger logger)
{
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context).ConfigureAwait(false);
            if (!context.Response.HasStarted && context.Response is { StatusCode: StatusCodes.Status404NotFound, ContentLength: null })
            {
                await context.RefuseAsync(Problems.NotFound, "There is nothing here.").ConfigureAwait(false);
            }
            else if (!context.Response.HasStarted && context.Response is { StatusCode: StatusCodes.Status405MethodNotAllowed, ContentLength: null })
            {
                await context.RefuseAsync(Problems.Method, $"This address takes {context.Response.Headers.Allow}.").ConfigureAwait(false);
            }
        }
        catch (BadHttpRequestException bad)
        {
            var type = bad.StatusCode switch
            {
                StatusCodes.Status408RequestTimeout => Problems.TooSlow,
                StatusCodes.Status413PayloadTooLarge => Problems.TooLarge,
                _ => Problems.Malformed,
            };
            context.Response.Headers.Connection = "close";
            await context.RefuseAsync(type, bad.Message).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is OperationCanceledException or ConnectionResetException or ConnectionAbortedException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be told.
        }
        catch (EndOfStreamException)
        {
            await context.RefuseAsync(Problems.Malformed, "The body ended before its announced length.").ConfigureAwait(false);
        }
        catch (StorageException storage)
        {
            LogStorage(logger, storage.Message);
            await context.RefuseAsync(Problems.Unavailable, "The store fails; ask again. Repeating the request is safe.", TimeSpan.FromSeconds(5)).ConfigureAwait(false);
        }
        catch (Exception defect)
        {
            LogDefect(logger, defect, context.Request.Method, context.Request.Path, context.TraceIdentifier);
            await context.RefuseAsync(Problems.Defect, "The coordinator's log has the details under this request's instance id.").ConfigureAwait(false);
        }
    }

    [LoggerMessage(10, LogLevel.Error, "{Method} {Path} (request {Request}) failed by a defect.")]
    private static partial void LogDefect(ILogger logger, Exception defect, string method, string path, string request);

    [LoggerMessage(11, LogLevel.Error, "The store failed: {Problem}")]
    private static partial void LogStorage(ILogger logger, string problem);
}

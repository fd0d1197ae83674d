using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Federated.Protocol;
using Microsoft.AspNetCore.Http;

namespace Federated.Coordinator.Http;

/// <summary>Answers with a problem (RFC 9457).</summary>
internal static class ProblemResponse
{
    /// <summary>How much of an unread body is read and thrown away to keep the connection; beyond, it is closed.</summary>
    private const long Drained = 64 << 10;

    /// <param name="detail">What was needed, what was there, what to change.</param>
    public static Task RefuseAsync(this HttpContext context, ProblemType type, string detail, TimeSpan? retryAfter = null)
    {
        var response = context.Response;
        if (response.HasStarted)
        {
            context.Abort(); // Part of a body is out; a cut connection is the only thing left to say.
            return Task.CompletedTask;
        }

        response.Clear();
        response.StatusCode = type.Status;
        response.ContentType = "application/problem+json";
        if (retryAfter is { } wait)
        {
            response.Headers.RetryAfter = ((long)Math.Ceiling(Math.Max(1, wait.TotalSeconds))).ToString(CultureInfo.InvariantCulture);
        }

        if (type.Status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }

        if (context.Request.ContentLength is not (>= 0 and <= Drained) && context.Request.Protocol == HttpProtocol.Http11 && !HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            response.Headers.Connection = "close"; // Nobody reads a large body that was refused.
        }

        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", type.Path);
            json.WriteString("title", type.Title);
            json.WriteNumber("status", type.Status);
            json.WriteString("detail", detail);
            json.WriteString("instance", context.TraceIdentifier);
            if (type == Problems.ProtocolVersion)
            {
                json.WriteNumber("oldest", ProtocolVersion.Oldest);
                json.WriteNumber("current", ProtocolVersion.Current);
            }

            json.WriteEndObject();
        }

        response.ContentLength = buffer.WrittenCount;
        return response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted).AsTask();
    }
}

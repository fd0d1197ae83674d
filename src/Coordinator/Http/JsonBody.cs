using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Federated.Coordinator.Http;

/// <summary>Reads and writes JSON bodies, bounded.</summary>
internal static class JsonBody
{
    /// <summary>Longest JSON body that clients send.</summary>
    public const int MaxLength = 64 << 10;

    /// <summary>Reads a body, or answers with what is wrong with it.</summary>
    /// <returns>Null when the request has been answered.</returns>
    public static async ValueTask<T?> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> form, int maxLength = MaxLength)
        where T : class
    {
        if (await ReadBytesAsync(context, maxLength).ConfigureAwait(false) is not { } bytes)
        {
            return null;
        }

        string error;
        try
        {
            if (JsonSerializer.Deserialize(bytes.Span, form) is { } value)
            {
                return value;
            }

            error = "The body is null; an object is needed.";
        }
        catch (JsonException e)
        {
            error = $"The body is not the JSON that is needed here: {e.Message}";
        }

        await context.RefuseAsync(Problems.Malformed, error).ConfigureAwait(false);
        return null;
    }

    /// <summary>Reads a whole body of bounded length, or answers with what is wrong with it.</summary>
    public static async ValueTask<ReadOnlyMemory<byte>?> ReadBytesAsync(HttpContext context, int maxLength)
    {
        if (context.Request.ContentLength is not { } length)
        {
            await context.RefuseAsync(Problems.LengthRequired, "Send Content-Length; what is not known to fit is not read.").ConfigureAwait(false);
            return null;
        }

        if (length > maxLength)
        {
            await context.RefuseAsync(Problems.TooLarge, $"At most {maxLength} bytes are taken here; {length} were announced.").ConfigureAwait(false);
            return null;
        }

        var bytes = GC.AllocateUninitializedArray<byte>((int)length);
        await context.Request.Body.ReadExactlyAsync(bytes, context.RequestAborted).ConfigureAwait(false);
        return bytes;
    }

    public static Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> form, int status = StatusCodes.Status200OK)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            JsonSerializer.Serialize(json, value, form);
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = buffer.WrittenCount;
        return context.Response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted).AsTask();
    }
}

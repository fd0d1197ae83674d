using System.Globalization;
using System.Text.Json;

namespace Federated.Client.Transport;

/// <summary>From an HTTP answer that is no success to a <see cref="Problem"/>.</summary>
internal static class ProblemReader
{
    public const int MaxBytes = 64 << 10;

    public static Problem Read(HttpResponseMessage response, ReadOnlyMemory<byte> body, DateTimeOffset now)
    {
        var status = (int)response.StatusCode;
        var type = "";
        var detail = $"The coordinator answered {status} {response.ReasonPhrase}";
        (int, int)? speaks = null;
        if (response.Content.Headers.ContentType?.MediaType == "application/problem+json" && Parse(body) is { RootElement.ValueKind: JsonValueKind.Object } document)
        {
            using (document)
            {
                var root = document.RootElement;
                type = Text(root, "type") is { } path ? path[(path.LastIndexOf('/') + 1)..] : "";
                detail = Text(root, "detail") ?? Text(root, "title") ?? detail;
                speaks = Integer(root, "oldest") is { } oldest && Integer(root, "current") is { } current ? (oldest, current) : null;
            }
        }

        return new Problem(status, type, detail)
        {
            RetryAfter = response.Headers.RetryAfter switch
            {
                { Delta: { } delta } => delta,
                { Date: { } date } => date > now ? date - now : TimeSpan.Zero,
                _ => null,
            },
            UploadOffset = Offset(response),
            Speaks = speaks,
        };
    }

    public static long? Offset(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Upload-Offset", out var values)
            && long.TryParse(values.FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var offset) ? offset : null;

    private static JsonDocument? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            return null; // A proxy's page: the status has to do.
        }
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static int? Integer(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : null;
}

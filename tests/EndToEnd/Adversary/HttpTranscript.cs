using System.Globalization;
using System.Text;

namespace Federated.EndToEnd.Adversary;

/// <summary>A request or a reply off the wire.</summary>
/// <param name="Order">Its first byte's place among all that was seen.</param>
/// <param name="Time">When that came.</param>
/// <param name="Start">The first line.</param>
/// <param name="Head">First line and headers, as they were.</param>
internal sealed record HttpMessage(long Order, long Time, string Start, IReadOnlyDictionary<string, string> Headers, byte[] Head, byte[] Body);

/// <summary>A request and its reply, on a connection that came from a port.</summary>
/// <param name="Reply">Null when it was not there in whole.</param>
internal sealed record HttpExchange(int Port, HttpMessage Request, HttpMessage? Reply)
{
    public string Path => Request.Start.Split(' ')[1];

    public string Token => Request.Headers.GetValueOrDefault("Authorization", "");
}

/// <summary>Reads HTTP/1.1 (RFC 9112) out of the bytes of a connection; no pipelining, as the SDK does none.</summary>
internal static class HttpTranscript
{
    public static IEnumerable<HttpExchange> Read(int port, List<WireTap.Chunk> sent, List<WireTap.Chunk> received)
    {
        var requests = Messages(sent, []).ToList();
        var replies = Messages(received, [.. requests.Select(r => r.Start.StartsWith("HEAD ", StringComparison.Ordinal))]).ToList();
        return requests.Select((request, i) => new HttpExchange(port, request, i < replies.Count ? replies[i] : null));
    }

    /// <param name="answersHead">Which of the messages answer a HEAD, and have no body.</param>
    private static IEnumerable<HttpMessage> Messages(List<WireTap.Chunk> chunks, IReadOnlyList<bool> answersHead)
    {
        byte[] bytes = [.. chunks.SelectMany(c => c.Bytes)];
        var at = 0;
        for (var index = 0; ; index++)
        {
            var length = bytes.AsSpan(at).IndexOf("\r\n\r\n"u8);
            if (length < 0)
            {
                yield break;
            }

            var lines = Encoding.Latin1.GetString(bytes, at, length).Split("\r\n");
            var headers = lines.Skip(1).Select(l => l.Split(':', 2)).GroupBy(p => p[0], StringComparer.OrdinalIgnoreCase)
                .ToDictionary(g => g.Key, g => string.Join(", ", g.Select(p => p[1].Trim())), StringComparer.OrdinalIgnoreCase);
            var body = at + length + 4;
            var hasBody = !(index < answersHead.Count && answersHead[index]) && !lines[0].Contains(" 204", StringComparison.Ordinal) && !lines[0].Contains(" 304", StringComparison.Ordinal);
            var (end, content) = !hasBody ? (body, [])
                : headers.GetValueOrDefault("Transfer-Encoding") == "chunked" ? Chunked(bytes, body)
                : Plain(bytes, body, int.Parse(headers.GetValueOrDefault("Content-Length", "0"), CultureInfo.InvariantCulture));
            if (end < 0)
            {
                yield break;
            }

            var first = ChunkOf(chunks, at);
            yield return new HttpMessage(first.Order, first.Time, lines[0], headers, bytes[at..body], content);
            at = end;
        }
    }

    private static (int End, byte[] Content) Plain(byte[] bytes, int at, int length) => at + length > bytes.Length ? (-1, []) : (at + length, bytes[at..(at + length)]);

    private static (int End, byte[] Content) Chunked(byte[] bytes, int at)
    {
        using var content = new MemoryStream();
        while (true)
        {
            var line = bytes.AsSpan(Math.Min(at, bytes.Length)).IndexOf("\r\n"u8);
            if (line < 0)
            {
                return (-1, []);
            }

            var length = int.Parse(Encoding.Latin1.GetString(bytes, at, line).Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            at += line + 2;
            if (at + length + 2 > bytes.Length)
            {
                return (-1, []);
            }

            content.Write(bytes, at, length);
            at += length + 2;
            if (length == 0)
            {
                return (at, content.ToArray());
            }
        }
    }

    private static WireTap.Chunk ChunkOf(List<WireTap.Chunk> chunks, int at)
    {
        foreach (var chunk in chunks)
        {
            if (at < chunk.Bytes.Length)
            {
                return chunk;
            }

            at -= chunk.Bytes.Length;
        }

        throw new ArgumentOutOfRangeException(nameof(at));
    }
}

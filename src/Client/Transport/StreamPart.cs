using System.Buffers;
using System.Net;
using System.Net.Http.Headers;

namespace Federated.Client.Transport;

/// <summary>Some bytes of a stream as a request's body, passed on as they are read.</summary>
internal sealed class StreamPart : HttpContent
{
    private const int BufferBytes = 256 << 10;

    private readonly Stream source;
    private readonly long count;
    private readonly Action moved;

    /// <param name="moved">Called after each piece: the transfer does not stand still.</param>
    public StreamPart(Stream source, long count, Action moved)
    {
        (this.source, this.count, this.moved) = (source, count, moved);
        Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(BufferBytes, Math.Max(1, count)));
        try
        {
            for (var left = count; left > 0;)
            {
                var read = await source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancellationToken).ConfigureAwait(false);
                if (read == 0)
                {
                    throw new EndOfStreamException($"The part ends {left} bytes early; the file was changed while it was sent.");
                }

                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                left -= read;
                moved();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = count;
        return true;
    }
}

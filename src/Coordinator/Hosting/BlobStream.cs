using Federated.Coordinator.Storage;

namespace Federated.Coordinator.Hosting;

/// <summary>Lets code that writes to a stream write a blob.</summary>
internal sealed class BlobStream(IBlobWriter blob) : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => blob.Length;

    public override long Position
    {
        get => blob.Length;
        set => throw new NotSupportedException("A blob is written in order.");
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A blob is read when it is committed.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("A blob is written in order.");

    public override void SetLength(long value) => throw new NotSupportedException("A blob is written in order.");

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsMemory(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer) => Write(buffer.ToArray().AsMemory());

    private void Write(ReadOnlyMemory<byte> bytes)
    {
        var writing = blob.WriteAsync(bytes, CancellationToken.None);
        if (!writing.IsCompleted)
        {
            writing.AsTask().GetAwaiter().GetResult();
        }
        else
        {
            writing.GetAwaiter().GetResult();
        }
    }
}

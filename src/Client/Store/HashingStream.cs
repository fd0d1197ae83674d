using System.Security.Cryptography;
using Federated.Protocol;

namespace Federated.Client.Store;

/// <summary>Passes written bytes on and takes their digest on the way.</summary>
internal sealed class HashingStream(Stream inner) : Stream
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long length;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => length;

    public override long Position
    {
        get => length;
        set => throw new NotSupportedException("A blob is written in order.");
    }

    /// <summary>What was written; call it once.</summary>
    public BlobReference Finish() => new(Convert.ToHexStringLower(hash.GetHashAndReset()), length);

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        inner.Write(buffer);
        hash.AppendData(buffer);
        length += buffer.Length;
    }

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A blob is read when it is whole.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("A blob is written in order.");

    public override void SetLength(long value) => throw new NotSupportedException("A blob is written in order.");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            hash.Dispose();
        }

        base.Dispose(disposing);
    }
}

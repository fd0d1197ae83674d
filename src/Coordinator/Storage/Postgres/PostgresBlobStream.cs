using Npgsql;

namespace Federated.Coordinator.Storage.Postgres;

/// <summary>Reads a blob chunk by chunk; holds one chunk, and no connection in between.</summary>
internal sealed class PostgresBlobStream(NpgsqlDataSource source, long upload, long length) : Stream
{
    private const string Query = "select bytes from fed_chunks where upload = $1 and part = $2";

    private byte[] chunk = [];
    private int part = -1;
    private long position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            position = value;
        }
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (position >= length || buffer.IsEmpty)
        {
            return 0;
        }

        if (Part != part)
        {
            try
            {
                using var command = Command();
                Take(command.ExecuteScalar());
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                throw Postgres.Failure(e);
            }
        }

        return Copy(buffer);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (position >= length || buffer.IsEmpty)
        {
            return 0;
        }

        if (Part != part)
        {
            await Postgres.Guard(async () =>
            {
                await using var command = Command();
                Take(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false));
            }).ConfigureAwait(false);
        }

        return Copy(buffer.Span);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin)
    {
        Position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => position + offset,
            _ => length + offset,
        };
        return position;
    }

    public override void SetLength(long value) => throw new NotSupportedException("A blob does not change.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("A blob does not change.");

    private int Part => (int)(position / PostgresBlobStore.ChunkBytes);

    private NpgsqlCommand Command()
    {
        var command = source.CreateCommand(Query);
        command.Parameters.Add(new NpgsqlParameter { Value = upload });
        command.Parameters.Add(new NpgsqlParameter { Value = Part });
        return command;
    }

    private void Take(object? bytes)
    {
        chunk = bytes as byte[] ?? throw new StorageException("A part of the blob is gone: it was deleted while it was read.");
        part = Part;
    }

    private int Copy(Span<byte> buffer)
    {
        var at = (int)(position - ((long)part * PostgresBlobStore.ChunkBytes));
        var count = Math.Min(buffer.Length, chunk.Length - at);
        chunk.AsSpan(at, count).CopyTo(buffer);
        position += count;
        return count;
    }
}

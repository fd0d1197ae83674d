using System.Security.Cryptography;
using Federated.Protocol;
using Npgsql;

namespace Federated.Coordinator.Storage.Postgres;

/// <summary>Blobs as rows of <see cref="ChunkBytes"/>; a blob is there when its row in <c>fed_blobs</c> is.</summary>
/// <remarks>
/// Chunks are inserted without a flush of their own: the row that makes the blob visible is flushed, and the log before it with it.
/// Several hosts may sweep; marks stand in the database. A hold binds the sweeps of its own host; those of others it only defers by one
/// sweep, so the time between sweeps must exceed the time from an upload to its event.
/// </remarks>
internal sealed class PostgresBlobStore(NpgsqlDataSource source) : IBlobStore
{
    internal const int ChunkBytes = 256 << 10;

    /// <summary>Makes the statement that it is part of commit without waiting for the disk.</summary>
    private const string Unflushed = "set_config('synchronous_commit', 'off', true)";

    private const string Touch = $"""
        with s as (select sweep, {Unflushed} from fed_meta)
        update fed_blobs set marked = -1, touched = s.sweep from s where sha256 = $1
        """;

    private const string Commit = """
        insert into fed_blobs (sha256, length, upload, touched) values ($1, $2, $3, (select sweep from fed_meta))
        on conflict (sha256) do update set marked = -1, touched = excluded.touched
        returning upload
        """;

    private readonly NpgsqlDataSource source = source;
    private readonly SweepMarks holds = new();

    public async ValueTask<IBlobWriter> CreateAsync(CancellationToken cancellation) => await Postgres.Guard(async () =>
    {
        await using var command = source.CreateCommand($"with s as (select {Unflushed}) insert into fed_uploads (begun) select now() from s returning upload");
        return new Writer(this, (long)(await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false))!);
    }).ConfigureAwait(false);

    public async ValueTask<Stream> OpenAsync(BlobReference blob, CancellationToken cancellation)
    {
        CheckDigest(blob);
        return await Postgres.Guard(async () =>
        {
            await using var command = source.CreateCommand("select length, upload from fed_blobs where sha256 = $1");
            command.Parameters.Add(new NpgsqlParameter { Value = blob.Sha256 });
            await using var row = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            return await row.ReadAsync(cancellation).ConfigureAwait(false)
                ? new PostgresBlobStream(source, row.GetInt64(1), row.GetInt64(0))
                : throw new StorageException($"Blob {blob.Sha256} ({blob.Length} bytes) is not in the database; it was deleted or never uploaded.");
        }).ConfigureAwait(false);
    }

    public async ValueTask<bool> ContainsAsync(BlobReference blob, CancellationToken cancellation)
    {
        CheckDigest(blob);
        return await Postgres.Guard(async () =>
        {
            await using var command = source.CreateCommand(Touch);
            command.Parameters.Add(new NpgsqlParameter { Value = blob.Sha256 });
            return await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false) == 1;
        }).ConfigureAwait(false);
    }

    public async ValueTask<IAsyncDisposable?> HoldAsync(BlobReference blob, CancellationToken cancellation)
    {
        CheckDigest(blob);
        var hold = holds.Hold(blob.Sha256);
        try
        {
            if (await ContainsAsync(blob, cancellation).ConfigureAwait(false))
            {
                return hold;
            }
        }
        catch
        {
            await hold.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        await hold.DisposeAsync().ConfigureAwait(false);
        return null;
    }

    public async ValueTask<long> SweepAsync(Func<ValueTask<IReadOnlySet<string>>> referenced, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(referenced);
        var sweep = await Postgres.Guard(async () =>
        {
            await using var command = source.CreateCommand("update fed_meta set sweep = sweep + 1 returning sweep");
            return (long)(await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false))!;
        }).ConfigureAwait(false);
        var kept = await referenced().ConfigureAwait(false);
        return await Postgres.Guard(async () =>
        {
            List<string> unreferenced = [];
            await using (var list = source.CreateCommand("select sha256 from fed_blobs"))
            {
                await using var rows = await list.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
                while (await rows.ReadAsync(cancellation).ConfigureAwait(false))
                {
                    if (rows.GetString(0) is var sha256 && !kept.Contains(sha256) && !holds.IsHeld(sha256))
                    {
                        unreferenced.Add(sha256);
                    }
                }
            }

            var freed = 0L;
            await using (var delete = source.CreateCommand("""
                with gone as (delete from fed_blobs where sha256 = any($1) and marked = $2 - 1 and touched < $2 returning length, upload),
                chunks as (delete from fed_chunks using gone where fed_chunks.upload = gone.upload),
                uploads as (delete from fed_uploads using gone where fed_uploads.upload = gone.upload)
                select coalesce(sum(length), 0)::bigint from gone
                """))
            {
                delete.Parameters.Add(new NpgsqlParameter { Value = unreferenced.ToArray() });
                delete.Parameters.Add(new NpgsqlParameter { Value = sweep });
                freed = (long)(await delete.ExecuteScalarAsync(cancellation).ConfigureAwait(false))!;
            }

            await using (var mark = source.CreateCommand("update fed_blobs set marked = $2 where sha256 = any($1) and touched < $2"))
            {
                mark.Parameters.Add(new NpgsqlParameter { Value = unreferenced.ToArray() });
                mark.Parameters.Add(new NpgsqlParameter { Value = sweep });
                await mark.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
            }

            // Uploads that were begun a day ago and never committed belong to nobody any more.
            await using (var left = source.CreateCommand("""
                with gone as (
                    delete from fed_uploads u where begun < now() - interval '1 day' and not exists (select 1 from fed_blobs b where b.upload = u.upload)
                    returning upload)
                delete from fed_chunks using gone where fed_chunks.upload = gone.upload
                """))
            {
                await left.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
            }

            return freed;
        }).ConfigureAwait(false);
    }

    private static void CheckDigest(BlobReference blob)
    {
        ArgumentNullException.ThrowIfNull(blob);
        if (blob.Sha256.Length != 64 || !blob.Sha256.All(char.IsAsciiHexDigitLower))
        {
            throw new StorageException($"'{blob.Sha256}' is not a SHA-256 digest; 64 lower-case hexadecimal digits are needed.");
        }
    }

    private async Task DropAsync(long upload, CancellationToken cancellation)
    {
        await using var command = source.CreateCommand($"""
            with s as (select {Unflushed}), u as (delete from fed_uploads where upload = $1) delete from fed_chunks using s where upload = $1
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = upload });
        await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
    }

    private sealed class Writer(PostgresBlobStore store, long upload) : IBlobWriter
    {
        private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private readonly MemoryStream chunk = new();
        private int part;
        private bool done, disposed;
        private IAsyncDisposable? hold;

        public long Length { get; private set; }

        public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
        {
            ObjectDisposedException.ThrowIf(done || disposed, this);
            hash.AppendData(bytes.Span);
            Length += bytes.Length;
            while (!bytes.IsEmpty)
            {
                var taken = Math.Min(bytes.Length, ChunkBytes - (int)chunk.Length);
                chunk.Write(bytes.Span[..taken]);
                bytes = bytes[taken..];
                if (chunk.Length == ChunkBytes)
                {
                    await FlushAsync(cancellation).ConfigureAwait(false);
                }
            }
        }

        public async ValueTask<BlobReference> CommitAsync(BlobReference? expected, CancellationToken cancellation)
        {
            ObjectDisposedException.ThrowIf(done || disposed, this);
            var actual = new BlobReference(Convert.ToHexStringLower(hash.GetHashAndReset()), Length);
            if (expected is not null && expected != actual)
            {
                throw new BlobMismatchException(
                    $"The bytes are not what was declared: {expected.Length} bytes with digest {expected.Sha256} were, {actual.Length} with {actual.Sha256} came. Send them again.");
            }

            await FlushAsync(cancellation).ConfigureAwait(false);
            hold = store.holds.Hold(actual.Sha256);
            var stored = await Postgres.Guard(async () =>
            {
                await using var command = store.source.CreateCommand(Commit);
                command.Parameters.Add(new NpgsqlParameter { Value = actual.Sha256 });
                command.Parameters.Add(new NpgsqlParameter { Value = actual.Length });
                command.Parameters.Add(new NpgsqlParameter { Value = upload });
                return (long)(await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false))!;
            }).ConfigureAwait(false);
            done = stored == upload; // Else the same bytes were there already, and these go.
            return actual;
        }

        public async ValueTask DisposeAsync()
        {
            if (disposed)
            {
                return;
            }

            disposed = true;
            hash.Dispose();
            await chunk.DisposeAsync().ConfigureAwait(false);
            if (hold is not null)
            {
                await hold.DisposeAsync().ConfigureAwait(false);
            }

            if (!done)
            {
                try
                {
                    await store.DropAsync(upload, CancellationToken.None).ConfigureAwait(false);
                }
                catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
                {
                    // A sweep will find it.
                }
            }
        }

        private async Task FlushAsync(CancellationToken cancellation)
        {
            if (chunk.Length == 0)
            {
                return;
            }

            await Postgres.Guard(async () =>
            {
                await using var command = store.source.CreateCommand($"with s as (select {Unflushed}) insert into fed_chunks (upload, part, bytes) select $1, $2, $3 from s");
                command.Parameters.Add(new NpgsqlParameter { Value = upload });
                command.Parameters.Add(new NpgsqlParameter { Value = part++ });
                command.Parameters.Add(new NpgsqlParameter { Value = chunk.ToArray() });
                await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
            }).ConfigureAwait(false);
            chunk.SetLength(0);
        }
    }
}

using System.Security.Cryptography;
using Federated.Protocol;
using Npgsql;

namespace Federated.Coordinator.Storage.Postgres;

/// <summary>Blobs as rows of <see cref="ChunkBytes"/>; a blob is there when its row in <c>fed_blobs</c> is.</summary>
/// <remarks>
/// Chunks are inserted without a flush of their own: the row that makes the blob visible is flushed, and the log before it with it.
/// Several hosts may sweep; marks stand in the database, and so do the numbers of the sweeps for which each host has said what it holds.
/// </remarks>
internal sealed class PostgresBlobStore(NpgsqlDataSource source) : IBlobStore, ISharedSweep
{
    /// <summary>True of a host that has not said what it holds since the newest sweep began, and that lives.</summary>
    private const string IsBehind = "h.sweep < m.sweep and h.seen > now() - interval '10 minutes' and h.host <> $1";

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
    private readonly string host = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));

    public bool IsRemote => true;

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
        var begun = await Postgres.Guard(async () =>
        {
            await using var command = source.CreateCommand(
                $"update fed_meta m set sweep = m.sweep + 1 where not exists (select 1 from fed_hosts h where {IsBehind}) returning sweep");
            command.Parameters.Add(new NpgsqlParameter { Value = host });
            return (long?)await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false);
        }).ConfigureAwait(false);
        if (begun is not { } sweep)
        {
            return 0; // Another host holds blobs that this sweep would not know of; the next one will.
        }

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

    public ValueTask KeepHoldsAsync(CancellationToken cancellation) => new(Postgres.Guard(async () =>
    {
        await using var connection = await source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        long sweep;
        await using (var ask = new NpgsqlCommand("select sweep from fed_meta", connection))
        {
            sweep = (long)(await ask.ExecuteScalarAsync(cancellation).ConfigureAwait(false))!;
        }

        // Asked for after the number: what is held from here on touches its blob with this number or a later one.
        await using (var touch = new NpgsqlCommand("update fed_blobs set marked = -1, touched = greatest(touched, $2) where sha256 = any($1)", connection)
        {
            Parameters = { new() { Value = holds.Held() }, new() { Value = sweep } },
        })
        {
            await touch.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
        }

        await using (var say = new NpgsqlCommand(
            "insert into fed_hosts (host, seen, sweep) values ($1, now(), $2) on conflict (host) do update set seen = excluded.seen, sweep = excluded.sweep", connection)
        {
            Parameters = { new() { Value = host }, new() { Value = sweep } },
        })
        {
            await say.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
        }

        await transaction.CommitAsync(cancellation).ConfigureAwait(false);
    }));

    public async ValueTask<bool> TryClaimSweepAsync(TimeSpan period, CancellationToken cancellation) => await Postgres.Guard(async () =>
    {
        await using var command = source.CreateCommand(
            $"update fed_meta m set swept = now() where m.swept <= now() - $2 and not exists (select 1 from fed_hosts h where {IsBehind})");
        command.Parameters.Add(new NpgsqlParameter { Value = host });
        command.Parameters.Add(new NpgsqlParameter { Value = period });
        return await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false) == 1;
    }).ConfigureAwait(false);

    /// <summary>Holds nothing any more: nobody waits for what this host would say.</summary>
    public async ValueTask LeaveAsync()
    {
        try
        {
            await using var command = source.CreateCommand("delete from fed_hosts where host = $1 or seen < now() - interval '1 day'");
            command.Parameters.Add(new NpgsqlParameter { Value = host });
            await command.ExecuteNonQueryAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
        {
            // It counts as dead in ten minutes.
        }
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

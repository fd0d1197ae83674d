using Npgsql;

namespace Federated.Coordinator.Storage.Postgres;

/// <summary>The tables of a store, made when they are not there, and their version.</summary>
internal static class PostgresSchema
{
    /// <summary>Raised when the tables change; a build refuses tables of another version.</summary>
    private const int Version = 2;

    /// <summary>Any constant will do, as long as all builds use it: who holds this lock makes the tables.</summary>
    private const long Lock = 0x6665_6465_7261_7465;

    private const string Tables = """
        create table fed_meta (version int not null, sweep bigint not null);
        create table fed_runs (
            run text primary key, owner bigint not null, next_sequence bigint not null, snapshot_sequence bigint not null, snapshot bytea);
        create table fed_events (run text not null, sequence bigint not null, payload bytea not null, primary key (run, sequence));
        create table fed_uploads (upload bigint generated always as identity primary key, begun timestamptz not null default now());
        create table fed_chunks (upload bigint not null, part int not null, bytes bytea not null, primary key (upload, part));
        alter table fed_chunks alter column bytes set storage external;
        alter table fed_runs alter column snapshot set storage external;
        alter table fed_events alter column payload set storage external;
        create table fed_blobs (
            sha256 text primary key, length bigint not null, upload bigint not null, marked bigint not null default -1, touched bigint not null);
        create table fed_documents (name text primary key, content bytea not null);
        """;

    /// <summary>From version 1: hosts sweep together.</summary>
    private const string Second = """
        alter table fed_meta add column swept timestamptz not null default now();
        create table fed_hosts (host text primary key, seen timestamptz not null, sweep bigint not null);
        """;

    public static async Task PrepareAsync(NpgsqlDataSource source, CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        await using (var take = new NpgsqlCommand("select pg_advisory_xact_lock($1)", connection) { Parameters = { new() { Value = Lock } } })
        {
            await take.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
        }

        await using var look = new NpgsqlCommand("select to_regclass('fed_meta') is not null", connection);
        if (await look.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is not true)
        {
            await using var make = new NpgsqlCommand(Tables, connection);
            await make.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
            await using var mark = new NpgsqlCommand("insert into fed_meta (version, sweep) values (1, 0)", connection);
            await mark.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
        }

        await using (var old = new NpgsqlCommand("update fed_meta set version = 2 where version = 1", connection))
        {
            if (await old.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false) == 1)
            {
                await using var upgrade = new NpgsqlCommand(Second, connection);
                await upgrade.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
            }
        }

        await using (var ask = new NpgsqlCommand("select version from fed_meta", connection))
        {
            var version = (int)(await ask.ExecuteScalarAsync(cancellation).ConfigureAwait(false))!;
            if (version != Version)
            {
                throw new StorageException($"The database holds a store of version {version}, and this build reads version {Version}. Use the build that wrote it, or another database.");
            }
        }

        await transaction.CommitAsync(cancellation).ConfigureAwait(false);
    }
}

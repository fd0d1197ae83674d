using Npgsql;
using NpgsqlTypes;

namespace Federated.Coordinator.Storage.Postgres;

/// <summary>A run's log as rows, appended by one statement that checks owner and sequence and inserts, all or nothing.</summary>
internal sealed class PostgresRunLog(NpgsqlDataSource source, string run) : IRunLog
{
    private const string Take = """
        insert into fed_runs (run, owner, next_sequence, snapshot_sequence) values ($1, 1, 0, 0)
        on conflict (run) do update set owner = fed_runs.owner + 1
        returning owner, next_sequence, snapshot_sequence, snapshot
        """;

    private const string Append = """
        with owned as (update fed_runs set next_sequence = $3 where run = $1 and next_sequence = $2 and owner = $4 returning run)
        insert into fed_events (run, sequence, payload)
        select owned.run, $2 + p.place - 1, p.payload from owned, unnest($5) with ordinality as p (payload, place)
        """;

    private const string Save = """
        with owned as (
            update fed_runs set snapshot = $3, snapshot_sequence = $2 where run = $1 and next_sequence = $2 and owner = $4 returning run),
        gone as (delete from fed_events using owned where fed_events.run = owned.run and fed_events.sequence < $2)
        select count(*) from owned
        """;

    private long owner;
    private bool loaded, broken;

    public long NextSequence { get; private set; }

    public async ValueTask<RunHistory> LoadAsync(CancellationToken cancellation) => await Postgres.Guard(async () =>
    {
        // One transaction: nobody appends between taking the run over and reading it, and a crash in between leaves it with its owner.
        await using var connection = await source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        long start;
        ReadOnlyMemory<byte>? snapshot = null;
        await using (var take = new NpgsqlCommand(Take, connection) { Parameters = { new() { Value = run } } })
        {
            await using var row = await take.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            await row.ReadAsync(cancellation).ConfigureAwait(false);
            (owner, NextSequence, start) = (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2));
            if (!row.IsDBNull(3))
            {
                snapshot = row.GetFieldValue<byte[]>(3);
            }
        }

        List<ReadOnlyMemory<byte>> records = [];
        await using (var read = new NpgsqlCommand("select sequence, payload from fed_events where run = $1 and sequence >= $2 order by sequence", connection)
        {
            Parameters = { new() { Value = run }, new() { Value = start } },
        })
        {
            await using var rows = await read.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            while (await rows.ReadAsync(cancellation).ConfigureAwait(false))
            {
                if (rows.GetInt64(0) != start + records.Count)
                {
                    throw new DamagedException($"Record {start + records.Count} of run '{run}' is missing from the database; restore it from a backup.");
                }

                records.Add(rows.GetFieldValue<byte[]>(1));
            }
        }

        if (start + records.Count != NextSequence)
        {
            throw new DamagedException($"The last records of run '{run}' are missing from the database; restore it from a backup.");
        }

        await transaction.CommitAsync(cancellation).ConfigureAwait(false);
        loaded = true;
        return new RunHistory(snapshot, start, records);
    }).ConfigureAwait(false);

    public async ValueTask AppendAsync(long expected, IReadOnlyList<ReadOnlyMemory<byte>> records, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(records);
        ThrowUnlessUsable();
        if (expected != NextSequence)
        {
            throw Fenced();
        }

        if (records.Count == 0)
        {
            return;
        }

        broken = true; // Until the answer is there, nobody knows what the database did.
        var written = await Postgres.Guard(async () =>
        {
            await using var command = source.CreateCommand(Append);
            command.Parameters.Add(new NpgsqlParameter { Value = run });
            command.Parameters.Add(new NpgsqlParameter { Value = expected });
            command.Parameters.Add(new NpgsqlParameter { Value = expected + records.Count });
            command.Parameters.Add(new NpgsqlParameter { Value = owner });
            command.Parameters.Add(new NpgsqlParameter { Value = records.Select(r => r.ToArray()).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
            return await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
        }).ConfigureAwait(false);
        if (written != records.Count)
        {
            throw Fenced();
        }

        NextSequence += records.Count;
        broken = false;
    }

    public async ValueTask SaveSnapshotAsync(long sequence, ReadOnlyMemory<byte> snapshot, CancellationToken cancellation)
    {
        ThrowUnlessUsable();
        if (sequence != NextSequence)
        {
            throw new ArgumentException($"A snapshot is of the state after all {NextSequence} records, not after {sequence}.", nameof(sequence));
        }

        broken = true;
        var owned = await Postgres.Guard(async () =>
        {
            await using var command = source.CreateCommand(Save);
            command.Parameters.Add(new NpgsqlParameter { Value = run });
            command.Parameters.Add(new NpgsqlParameter { Value = sequence });
            command.Parameters.Add(new NpgsqlParameter { Value = snapshot.ToArray() });
            command.Parameters.Add(new NpgsqlParameter { Value = owner });
            return (long)(await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false))!;
        }).ConfigureAwait(false);
        if (owned == 0)
        {
            throw Fenced();
        }

        broken = false;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private FencedException Fenced() => new($"Another host has taken over run '{run}'; this one no longer knows its state.");

    private void ThrowUnlessUsable()
    {
        if (!loaded)
        {
            throw new InvalidOperationException("Load the log before writing to it.");
        }

        if (broken)
        {
            throw new StorageException($"The log of run '{run}' failed before and must be loaded again.");
        }
    }
}

using Npgsql;

namespace Federated.Coordinator.Storage.Postgres;

/// <summary>Documents as rows.</summary>
internal sealed class PostgresDocumentStore(NpgsqlDataSource source) : IDocumentStore
{
    public async ValueTask<byte[]?> ReadAsync(string name, CancellationToken cancellation)
    {
        DocumentNames.Check(name);
        return await Postgres.Guard(async () =>
        {
            await using var command = source.CreateCommand("select content from fed_documents where name = $1");
            command.Parameters.Add(new NpgsqlParameter { Value = name });
            return (byte[]?)await command.ExecuteScalarAsync(cancellation).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    public async ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        DocumentNames.Check(name);
        return await Postgres.Guard(async () =>
        {
            await using var command = source.CreateCommand("insert into fed_documents (name, content) values ($1, $2) on conflict (name) do nothing");
            command.Parameters.Add(new NpgsqlParameter { Value = name });
            command.Parameters.Add(new NpgsqlParameter { Value = content.ToArray() });
            return await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false) == 1;
        }).ConfigureAwait(false);
    }

    public async ValueTask WriteAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        DocumentNames.Check(name);
        await Postgres.Guard(async () =>
        {
            await using var command = source.CreateCommand(
                "insert into fed_documents (name, content) values ($1, $2) on conflict (name) do update set content = excluded.content");
            command.Parameters.Add(new NpgsqlParameter { Value = name });
            command.Parameters.Add(new NpgsqlParameter { Value = content.ToArray() });
            await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    public async ValueTask DeleteAsync(string name, CancellationToken cancellation)
    {
        DocumentNames.Check(name);
        await Postgres.Guard(async () =>
        {
            await using var command = source.CreateCommand("delete from fed_documents where name = $1");
            command.Parameters.Add(new NpgsqlParameter { Value = name });
            await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    public async ValueTask<IReadOnlyList<string>> ListAsync(string folder, CancellationToken cancellation)
    {
        DocumentNames.Check(folder);
        return await Postgres.Guard(async () =>
        {
            // The names hold no character that LIKE knows; ordered here, since the database's collation may not be ordinal.
            await using var command = source.CreateCommand("select name from fed_documents where name like $1 || '/%' and name not like $1 || '/%/%'");
            command.Parameters.Add(new NpgsqlParameter { Value = folder });
            await using var rows = await command.ExecuteReaderAsync(cancellation).ConfigureAwait(false);
            List<string> names = [];
            while (await rows.ReadAsync(cancellation).ConfigureAwait(false))
            {
                names.Add(rows.GetString(0)[(folder.Length + 1)..]);
            }

            names.Sort(StringComparer.Ordinal);
            return (IReadOnlyList<string>)names;
        }).ConfigureAwait(false);
    }
}

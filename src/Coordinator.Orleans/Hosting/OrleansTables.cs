using Federated.Coordinator.Storage;
using Npgsql;

namespace Federated.Coordinator.Orleans.Hosting;

/// <summary>The tables in which Orleans keeps membership and reminders, made when they are not there.</summary>
/// <remarks>The scripts are Orleans' own (<c>Sql/</c>, MIT licence) and are not safe to repeat; a lock in the database makes one silo run them.</remarks>
internal static class OrleansTables
{
    /// <summary>Any constant will do, as long as all builds use it.</summary>
    private const long Lock = 0x6665_646f_726c_6561;

    private static readonly (string Table, string Script)[] Scripts =
    [
        ("orleansquery", "PostgreSQL-Main.sql"), ("orleansmembershiptable", "PostgreSQL-Clustering.sql"), ("orleansreminderstable", "PostgreSQL-Reminders.sql"),
    ];

    /// <exception cref="StorageException">The database cannot be reached, or its user may not make tables.</exception>
    public static async Task PrepareAsync(string connection, CancellationToken cancellation)
    {
        try
        {
            await using var source = NpgsqlDataSource.Create(connection);
            await using var open = await source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
            await using var transaction = await open.BeginTransactionAsync(cancellation).ConfigureAwait(false);
            await using (var take = new NpgsqlCommand("select pg_advisory_xact_lock($1)", open) { Parameters = { new() { Value = Lock } } })
            {
                await take.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
            }

            foreach (var (table, script) in Scripts)
            {
                await using var look = new NpgsqlCommand("select to_regclass($1) is not null", open) { Parameters = { new() { Value = table } } };
                if (await look.ExecuteScalarAsync(cancellation).ConfigureAwait(false) is not true)
                {
                    await using var make = new NpgsqlCommand(Read(script), open);
                    await make.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
                }
            }

            await transaction.CommitAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
        {
            throw new StorageException($"The cluster's tables could not be made: {e.Message} Mend the database, or let its user create tables.", e);
        }
    }

    private static string Read(string script)
    {
        using var stream = typeof(OrleansTables).Assembly.GetManifestResourceStream(script)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

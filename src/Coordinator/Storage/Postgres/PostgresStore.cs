using Npgsql;

namespace Federated.Coordinator.Storage.Postgres;

/// <summary>Everything durable in one PostgreSQL database (13 or later), shared by the hosts of a cluster.</summary>
/// <remarks>
/// A run belongs to the host that loaded its log last: appends of any other are refused, whatever they expect. Blobs are rows of 256 KiB.
/// What is acknowledged is flushed, whatever the server's default for <c>synchronous_commit</c>.
/// </remarks>
public sealed class PostgresStore : IStore
{
    private readonly NpgsqlDataSource source;
    private readonly PostgresBlobStore blobs;

    private PostgresStore(NpgsqlDataSource source)
    {
        this.source = source;
        Blobs = blobs = new PostgresBlobStore(source);
        Documents = new PostgresDocumentStore(source);
    }

    public IBlobStore Blobs { get; }

    public IDocumentStore Documents { get; }

    /// <summary>Connects, and makes the tables when they are not there.</summary>
    /// <param name="connection">As Npgsql takes it, for example <c>Host=db;Database=federated;Username=fed</c>.</param>
    /// <exception cref="StorageException">The server cannot be reached, or the database holds tables of another version.</exception>
    public static async Task<PostgresStore> OpenAsync(string connection, CancellationToken cancellation)
    {
        NpgsqlDataSource source;
        try
        {
            var builder = new NpgsqlDataSourceBuilder(connection);
            builder.ConnectionStringBuilder.Options = $"{builder.ConnectionStringBuilder.Options} -c synchronous_commit=on".Trim();
            builder.ConnectionStringBuilder.ApplicationName ??= "federated";
            source = builder.Build();
        }
        catch (ArgumentException e)
        {
            throw new StorageException($"This is no connection string for PostgreSQL: {e.Message}", e);
        }

        try
        {
            await Postgres.Guard(() => PostgresSchema.PrepareAsync(source, cancellation)).ConfigureAwait(false);
            return new PostgresStore(source);
        }
        catch
        {
            await source.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public IRunLog OpenLog(string run)
    {
        DocumentNames.Check(run);
        return new PostgresRunLog(source, run);
    }

    public async ValueTask DeleteLogAsync(string run, CancellationToken cancellation)
    {
        DocumentNames.Check(run);
        await Postgres.Guard(async () =>
        {
            await using var command = source.CreateCommand("with gone as (delete from fed_runs where run = $1) delete from fed_events where run = $1");
            command.Parameters.Add(new NpgsqlParameter { Value = run });
            await command.ExecuteNonQueryAsync(cancellation).ConfigureAwait(false);
        }).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await blobs.LeaveAsync().ConfigureAwait(false);
        await source.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>What goes wrong in the database is the store's failure.</summary>
internal static class Postgres
{
    public static async Task Guard(Func<Task> action) => await Guard(async () =>
    {
        await action().ConfigureAwait(false);
        return true;
    }).ConfigureAwait(false);

    public static async Task<T> Guard<T>(Func<Task<T>> action)
    {
        try
        {
            return await action().ConfigureAwait(false);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted)
        {
            throw new DamagedException($"The database is damaged: {e.MessageText} Restore it from a backup.", e);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
        {
            throw Failure(e);
        }
    }

    public static StorageException Failure(Exception e) => new($"The database failed: {e.Message} Nothing acknowledged is lost; mend it or its connection.", e);
}

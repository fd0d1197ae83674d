using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Postgres;

namespace Federated.Coordinator.Tests.Storage;

[Collection(PostgresTests.Name), NeedsPostgres]
public sealed class PostgresRunLogTests(PostgresServer server) : RunLogConformance, IAsyncLifetime
{
    private PostgresStore? store;

    public async Task InitializeAsync() => store = PostgresServer.Programs is null ? null : await server.NewStoreAsync();

    public async Task DisposeAsync() => await (store?.DisposeAsync() ?? ValueTask.CompletedTask);

    protected override ValueTask<IRunLog> OpenAsync(string run) => ValueTask.FromResult(store!.OpenLog(run));
}

[Collection(PostgresTests.Name), NeedsPostgres]
public sealed class PostgresBlobStoreTests(PostgresServer server) : BlobStoreConformance, IAsyncLifetime
{
    private PostgresStore? store;

    public async Task InitializeAsync() => store = PostgresServer.Programs is null ? null : await server.NewStoreAsync();

    public async Task DisposeAsync() => await (store?.DisposeAsync() ?? ValueTask.CompletedTask);

    protected override ValueTask<IBlobStore> OpenAsync() => ValueTask.FromResult(store!.Blobs);
}

[Collection(PostgresTests.Name), NeedsPostgres]
public sealed class PostgresDocumentStoreTests(PostgresServer server) : DocumentStoreConformance, IAsyncLifetime
{
    private PostgresStore? store;

    public async Task InitializeAsync() => store = PostgresServer.Programs is null ? null : await server.NewStoreAsync();

    public async Task DisposeAsync() => await (store?.DisposeAsync() ?? ValueTask.CompletedTask);

    protected override ValueTask<IDocumentStore> OpenAsync() => ValueTask.FromResult(store!.Documents);
}

/// <summary>What only a store that several hosts share has to promise.</summary>
[Collection(PostgresTests.Name)]
public sealed class PostgresStoreTests(PostgresServer server)
{
    [PostgresFact]
    public async Task ManyHostsThatTakeARunFromEachOtherNeverForkIt()
    {
        var connection = await server.NewDatabaseAsync();
        var acknowledged = new List<(long Sequence, string Text)>();
        var fenced = 0;
        await Task.WhenAll(Enumerable.Range(0, 6).Select(host => Task.Run(async () =>
        {
            await using var store = await PostgresStore.OpenAsync(connection, default);
            for (var life = 0; life < 8; life++)
            {
                var log = store.OpenLog("run");
                await log.LoadAsync(default);
                try
                {
                    for (var i = 0; i < 10; i++)
                    {
                        var (sequence, text) = (log.NextSequence, $"{host}.{life}.{i}");
                        await log.AppendAsync(sequence, [System.Text.Encoding.UTF8.GetBytes(text)], default);
                        lock (acknowledged)
                        {
                            acknowledged.Add((sequence, text));
                        }
                    }
                }
                catch (FencedException)
                {
                    Interlocked.Increment(ref fenced);
                }
            }
        })));
        await using var last = await PostgresStore.OpenAsync(connection, default);
        var history = await last.OpenLog("run").LoadAsync(default);
        Assert.Equal(
            acknowledged.OrderBy(a => a.Sequence).Select(a => (a.Sequence, a.Text)),
            history.Records.Select((r, i) => ((long)i, System.Text.Encoding.UTF8.GetString(r.Span))));
        Assert.True(fenced > 0, "No host was ever fenced: the test would show nothing.");
    }

    [PostgresFact]
    public async Task WhatOneHostHoldsAnotherDoesNotSweep()
    {
        var connection = await server.NewDatabaseAsync();
        await using var holder = await PostgresStore.OpenAsync(connection, default);
        await using var sweeper = await PostgresStore.OpenAsync(connection, default);
        var holding = (ISharedSweep)holder.Blobs;
        var (held, left) = (await WriteAsync("held"), await WriteAsync("left"));
        await holding.KeepHoldsAsync(default);
        var hold = await holder.Blobs.HoldAsync(held, default);
        for (var sweep = 0; sweep < 4; sweep++)
        {
            await SweepAsync();
            await SweepAsync(); // The holder has not seen the sweep before: this one must not happen.
            await holding.KeepHoldsAsync(default);
        }

        Assert.True(await sweeper.Blobs.ContainsAsync(held, default));
        Assert.False(await sweeper.Blobs.ContainsAsync(left, default));
        await hold!.DisposeAsync();
        for (var sweep = 0; sweep < 3; sweep++)
        {
            await SweepAsync();
            await holding.KeepHoldsAsync(default);
        }

        Assert.False(await sweeper.Blobs.ContainsAsync(held, default));

        async Task<Protocol.BlobReference> WriteAsync(string text)
        {
            await using var writer = await holder.Blobs.CreateAsync(default);
            await writer.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text), default);
            return await writer.CommitAsync(null, default);
        }

        ValueTask<long> SweepAsync() => sweeper.Blobs.SweepAsync(() => ValueTask.FromResult<IReadOnlySet<string>>(new HashSet<string>()), default);
    }

    [PostgresFact]
    public async Task OfSeveralHostsOneSweepsAndNoneWaitsForTheDead()
    {
        var connection = await server.NewDatabaseAsync();
        await using var dead = await PostgresStore.OpenAsync(connection, default);
        await using var first = await PostgresStore.OpenAsync(connection, default);
        await using var second = await PostgresStore.OpenAsync(connection, default);
        await ((ISharedSweep)dead.Blobs).KeepHoldsAsync(default);
        Assert.False(await ((ISharedSweep)first.Blobs).TryClaimSweepAsync(TimeSpan.FromHours(1), default));
        var claims = await Task.WhenAll(new[] { first, second }.Select(async store => await ((ISharedSweep)store.Blobs).TryClaimSweepAsync(TimeSpan.Zero, default)));
        Assert.Contains(true, claims);
        await first.Blobs.SweepAsync(() => ValueTask.FromResult<IReadOnlySet<string>>(new HashSet<string>()), default);
        Assert.False(await ((ISharedSweep)first.Blobs).TryClaimSweepAsync(TimeSpan.Zero, default)); // The dead one has not seen the sweep, and may live.
        await using (var source = Npgsql.NpgsqlDataSource.Create(connection))
        {
            await using var command = source.CreateCommand("update fed_hosts set seen = now() - interval '11 minutes'");
            await command.ExecuteNonQueryAsync();
        }

        Assert.True(await ((ISharedSweep)first.Blobs).TryClaimSweepAsync(TimeSpan.Zero, default));
    }

    [PostgresFact]
    public async Task TablesOfAnEarlierVersionAreBroughtUpToDate()
    {
        var connection = await server.NewDatabaseAsync();
        await using (await PostgresStore.OpenAsync(connection, default))
        {
        }

        await using (var source = Npgsql.NpgsqlDataSource.Create(connection))
        {
            await using var command = source.CreateCommand("drop table fed_hosts; alter table fed_meta drop column swept; update fed_meta set version = 1");
            await command.ExecuteNonQueryAsync();
        }

        await using var store = await PostgresStore.OpenAsync(connection, default);
        await ((ISharedSweep)store.Blobs).KeepHoldsAsync(default);
    }

    [PostgresFact]
    public async Task TablesOfAnotherVersionAreRefused()
    {
        var connection = await server.NewDatabaseAsync();
        await using (await PostgresStore.OpenAsync(connection, default))
        {
        }

        await using (var source = Npgsql.NpgsqlDataSource.Create(connection))
        {
            await using var command = source.CreateCommand("update fed_meta set version = 99");
            await command.ExecuteNonQueryAsync();
        }

        var error = await Assert.ThrowsAsync<StorageException>(() => PostgresStore.OpenAsync(connection, default));
        Assert.Contains("version 99", error.Message, StringComparison.Ordinal);
    }

    [PostgresFact]
    public async Task ADatabaseThatIsNotThereIsAStorageFailure()
    {
        var error = await Assert.ThrowsAsync<StorageException>(() => PostgresStore.OpenAsync("Host=/nowhere;Username=fed;Database=x;Timeout=1", default));
        Assert.Contains("The database failed", error.Message, StringComparison.Ordinal);
    }
}

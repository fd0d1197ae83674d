using Federated.Coordinator.Hosting;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;
using Npgsql;

namespace Federated.Coordinator.Tests.Hosting;

public sealed class RunRegistryOnFiles : RunRegistryConformance
{
    private readonly FaultyFileSystem disk = new(1);

    protected override ValueTask<IStore> OpenStoreAsync() => ValueTask.FromResult<IStore>(new FileStore(disk));

    protected override ValueTask DamageAsync(string log)
    {
        Flip($"runs/{log}/{disk.List($"runs/{log}")[^1]}");
        return ValueTask.CompletedTask;
    }

    /// <summary>A disk that gives other bytes than it was given: parameters that nobody trained would be published.</summary>
    [Fact]
    public async Task AModelWithOtherBytesIsDamage()
    {
        var registry = await RunRegistry.OpenAsync(new FileStore(disk), new TestFactory(), TimeProvider.System, new RunHostOptions(), TimeSpan.Zero, default);
        var host = await registry.CreateAsync("a", TestFactory.Buffered(1, 1), default);
        await registry.DisposeAsync(); // Saves it.
        var digest = host.View.Versions[0].Model.Sha256;
        Flip($"blobs/{digest[..2]}/{digest}");
        await using var again = await RunRegistry.OpenAsync(new FileStore(disk), new TestFactory(), TimeProvider.System, new RunHostOptions(), TimeSpan.Zero, default);
        Assert.Equal(HostState.Damaged, again.Find("a")!.View.Host);
        Assert.Contains("holds other bytes under that name", again.Find("a")!.View.Problem, StringComparison.Ordinal);
    }

    private void Flip(string path)
    {
        byte[] bytes;
        using (var stream = disk.OpenRead(path))
        {
            bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
        }

        bytes[bytes.Length / 2] ^= 1;
        disk.Delete(path);
        using var file = disk.OpenAppend(path);
        file.Append(bytes);
        file.Sync();
    }

    protected override ValueTask<string> StoredAsync(string log) => ValueTask.FromResult(string.Join('\n', disk.List($"runs/{log}").Select(name =>
    {
        using var stream = disk.OpenRead($"runs/{log}/{name}");
        return $"{name} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(stream))}";
    })));
}

[Collection(PostgresTests.Name), NeedsPostgres]
public sealed class RunRegistryOnPostgres(PostgresServer server) : RunRegistryConformance
{
    private string? database;

    protected override async ValueTask<IStore> OpenStoreAsync() =>
        await Federated.Coordinator.Storage.Postgres.PostgresStore.OpenAsync(database ??= await server.NewDatabaseAsync(), default);

    protected override async ValueTask DamageAsync(string log) => await AskAsync(
        "delete from fed_events where run = $1 and sequence = (select max(sequence) - 1 from fed_events where run = $1) returning 1", log);

    protected override async ValueTask<string> StoredAsync(string log) => Convert.ToString(await AskAsync(
        "select concat(r.owner, ' ', r.next_sequence, ' ', r.snapshot_sequence, ' ', (select string_agg(md5(e.payload), ' ' order by e.sequence) from fed_events e where e.run = r.run)) from fed_runs r where r.run = $1", log),
        System.Globalization.CultureInfo.InvariantCulture)!;

    private async Task<object?> AskAsync(string command, string log)
    {
        await using var source = NpgsqlDataSource.Create(database!);
        await using var asking = source.CreateCommand(command);
        asking.Parameters.Add(new NpgsqlParameter { Value = log });
        return await asking.ExecuteScalarAsync();
    }
}

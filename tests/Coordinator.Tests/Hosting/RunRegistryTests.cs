using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Storage;

namespace Federated.Coordinator.Tests.Hosting;

public sealed class RunRegistryOnFiles : RunRegistryConformance
{
    private readonly FaultyFileSystem disk = new(1);

    protected override ValueTask<IStore> OpenStoreAsync() => ValueTask.FromResult<IStore>(new FileStore(disk));
}

[Collection(PostgresTests.Name), NeedsPostgres]
public sealed class RunRegistryOnPostgres(PostgresServer server) : RunRegistryConformance
{
    private string? database;

    protected override async ValueTask<IStore> OpenStoreAsync() =>
        await Federated.Coordinator.Storage.Postgres.PostgresStore.OpenAsync(database ??= await server.NewDatabaseAsync(), default);
}

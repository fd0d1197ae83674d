using Federated.Coordinator.Http;

namespace Federated.EndToEnd.Serving;

/// <summary>Tests of a coordinator and shufflers in this process: when one is over they are stopped, those that began last first, and what they wrote is gone.</summary>
public abstract class ShuffledTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("fed-shuffled-").FullName;
    private readonly List<IAsyncDisposable> servers = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var server in servers.AsEnumerable().Reverse())
        {
            await server.DisposeAsync();
        }

        Directory.Delete(folder, recursive: true);
    }

    protected async Task<CoordinatorServer> StartAsync()
    {
        var server = await TestCoordinator.StartAsync(Path.Combine(folder, "coordinator"));
        servers.Add(server);
        return server;
    }

    /// <summary>Starts shufflers and registers them; their names.</summary>
    /// <param name="clock">By which windows end; null for the system's.</param>
    protected Task<List<string>> StartShufflersAsync(CoordinatorServer server, int count, TimeProvider? clock = null) =>
        TestShufflers.StartAsync(server, folder, servers, count, clock: clock);
}

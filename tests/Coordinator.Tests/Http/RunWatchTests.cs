using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Storage;
using Federated.Coordinator.Storage.Files;
using Federated.Coordinator.Tests.Hosting;
using Federated.Coordinator.Tests.Storage;
using Microsoft.Extensions.Logging;

namespace Federated.Coordinator.Tests.Http;

public sealed class RunWatchTests : ILogger
{
    private readonly ManualTime time = new();
    private readonly List<string> lines = [];

    [Fact]
    public async Task Tells_once_of_a_run_that_cannot_be_asked_and_when_it_can_again()
    {
        var store = new FalteringStore(new FileStore(new FaultyFileSystem(1)));
        await using var registry = await RunRegistry.OpenAsync(store, new TestFactory(), time, new RunHostOptions(), TimeSpan.Zero, default);
        var host = await registry.CreateAsync("a", TestFactory.Buffered(1, 1), default);
        await using var watch = new RunWatch(() => registry.Runs, time, this);
        time.Advance(5);
        Assert.Empty(lines);
        store.Failure = store.LoadFailure = new IOException("Input/output error.");
        Assert.Equal(HostOutcome.Unavailable, (await host.JoinAsync("c", 1)).Outcome);
        time.Advance(5);
        time.Advance(5);
        Assert.Equal(["Warning: Run a cannot be asked, and is opened again and again until its store is well: Input/output error."], lines);
        store.LoadFailure = null;
        while (host.View.Host != HostState.Open)
        {
            time.Advance(1);
            await Task.Yield();
        }

        time.Advance(5);
        time.Advance(5);
        Assert.Equal(["Information: Run a is open again."], lines.Skip(1));
        store.Failure = store.LoadFailure = new DamagedException("A record is missing.");
        Assert.Equal(HostOutcome.Unavailable, (await host.JoinAsync("c", 1)).Outcome);
        while (host.View.Host != HostState.Damaged)
        {
            await Task.Yield();
        }

        time.Advance(5);
        time.Advance(5);
        Assert.Equal(["Error: Run a is Damaged and not served; the other runs are. A record is missing."], lines.Skip(2).Where(line => !line.StartsWith("Warning", StringComparison.Ordinal)));
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (lines)
        {
            lines.Add($"{logLevel}: {formatter(state, exception)}");
        }
    }
}

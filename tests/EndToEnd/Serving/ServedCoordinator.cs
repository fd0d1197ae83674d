using Federated.Cli;

namespace Federated.EndToEnd.Serving;

/// <summary><c>fed serve</c> in this process, on a port of loopback.</summary>
internal sealed class ServedCoordinator : IAsyncDisposable
{
    private readonly StringWriter written = new();
    private readonly TextWriter log;
    private readonly Terminal terminal;
    private readonly Task<int> serving;

    private ServedCoordinator(string folder, string listen, string url)
    {
        Url = url;
        log = TextWriter.Synchronized(written);
        terminal = new Terminal(log, log, isLive: false, TimeProvider.System);
        serving = Task.Run(() => CommandLine.InvokeAsync(["serve", "--data", folder, "--listen", listen], terminal));
    }

    public string Log
    {
        get
        {
            lock (log) // Which is what its own methods do.
            {
                return written.ToString();
            }
        }
    }

    public string Url { get; }

    public static async Task<ServedCoordinator> StartAsync(string folder, string scheme = "http", string host = "127.0.0.1")
    {
        _ = Fed.Home;
        var port = Ports.Take();
        var coordinator = new ServedCoordinator(folder, $"{scheme}://{host}:{port}", $"{scheme}://127.0.0.1:{port}");
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true };
        using var http = new HttpClient(handler);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri(new Uri(coordinator.Url), "/readyz"));
                if (answer.IsSuccessStatusCode)
                {
                    return coordinator;
                }
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }

            Assert.False(coordinator.serving.IsCompleted, coordinator.Log);
            Assert.True(attempt < 6000, $"The coordinator is not ready: {coordinator.Log}");
            await Task.Delay(50);
        }
    }

    public async ValueTask DisposeAsync()
    {
        terminal.Interrupt();
        await serving;
        terminal.Dispose();
        await log.DisposeAsync();
    }
}

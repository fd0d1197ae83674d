using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Federated.Coordinator.Hosting;
using Federated.Coordinator.Http;
using Federated.Coordinator.Runs;
using Federated.Coordinator.Storage.Files;
using Federated.Protocol.Local;
using Federated.Simulation.Serving;

namespace Federated.EndToEnd.Serving;

/// <summary>A coordinator in the tests' process, over HTTP and files, and its operator, who has the token that it left for this user.</summary>
internal static class TestCoordinator
{
    /// <summary>Starts one on a port of loopback that the system chooses.</summary>
    /// <param name="folder">Its data, which another one may go on with.</param>
    /// <param name="clock">Null for the system's.</param>
    public static Task<CoordinatorServer> StartAsync(string folder, ExperimentRunFactory? factory = null, TimeProvider? clock = null)
    {
        _ = Fed.Home; // One for all tests of the process: it is the environment's.
        return CoordinatorServer.StartAsync(
            new CoordinatorOptions { DataDirectory = folder, Listen = ["http://127.0.0.1:0"], DrainSeconds = 5 },
            FileStore.Open(Path.Combine(folder, "store")), factory ?? new ExperimentRunFactory("data"), clock ?? TimeProvider.System, null, default);
    }

    public static Uri Url(this CoordinatorServer server) => new(server.Addresses[0]);

    public static HttpClient Operator(Uri url) => new()
    {
        BaseAddress = url,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", LocalCoordinator.Find(url)!.OperatorToken) },
    };

    /// <summary>What an operator is shown at a path.</summary>
    public static async Task<T> ReadAsync<T>(Uri url, string path, JsonTypeInfo<T> form)
    {
        using var http = Operator(url);
        return JsonSerializer.Deserialize(await http.GetStringAsync(path), form)!;
    }

    public static async Task FinishedAsync(this IRun run)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (run.View.Status != RunStatus.Finished)
        {
            await Task.Delay(5, limit.Token);
        }
    }
}

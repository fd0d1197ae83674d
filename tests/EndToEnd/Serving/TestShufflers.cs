using System.Net;
using Federated.Coordinator.Http;
using Federated.Privacy.Randomness;
using Federated.Protocol.Wire;
using Federated.Shuffler;
using Federated.Shuffler.Http;

namespace Federated.EndToEnd.Serving;

/// <summary>Shufflers in the tests' process, over HTTP.</summary>
internal static class TestShufflers
{
    /// <summary>Starts shufflers, the last first, and registers them as their operators and the coordinator's would.</summary>
    /// <param name="through">Where others reach a service of a name and address, when something stands before it.</param>
    /// <param name="permutation">What permutations are drawn from; null for the system's randomness.</param>
    /// <param name="clock">By which windows end; null for the system's.</param>
    public static async Task<List<string>> StartAsync(
        CoordinatorServer server, string folder, List<IAsyncDisposable> servers, int count, Func<string, Uri, Uri>? through = null, IRandomSource? permutation = null, TimeProvider? clock = null)
    {
        through ??= (_, address) => address;
        using var http = TestCoordinator.Operator(server.Url());
        var tickets = System.Text.Json.JsonSerializer.Deserialize(await http.GetStringAsync("/v1/shuffling"), WireJson.Default.ShufflingKeysMessage)!.Tickets;
        var keys = Enumerable.Range(0, count).Select(i => ShufflerKeys.OpenOrCreate(Path.Combine(folder, $"s{i}"))).ToList();
        var destination = through("coordinator", server.Url());
        List<string> names = [];
        for (var i = count - 1; i >= 0; i--)
        {
            var options = new ShufflerOptions
            {
                DataDirectory = Path.Combine(folder, $"s{i}"), Name = $"s{i}", Destination = destination, MinBatch = 3, Listen = [new ShufflerAddress("127.0.0.1", 0, null)],
                TicketKey = i == 0 ? tickets : "", PreviousKey = i == 0 ? "" : keys[i - 1].SigningKey, FirstRetrySeconds = 0.05,
            };
            var shuffler = await ShufflerServer.StartAsync(options, keys[i], new SocketsHttpHandler(), clock ?? TimeProvider.System, permutation ?? new CryptographicRandom(), default);
            servers.Add(shuffler);
            destination = through($"s{i}", new Uri(shuffler.Addresses[0]));
            var message = new ShufflerMessage($"s{i}", destination.ToString(), keys[i].SealingKey, keys[i].SigningKey);
            using var added = await http.PostAsync(
                "/v1/shufflers", new StringContent(System.Text.Json.JsonSerializer.Serialize(message, WireJson.Default.ShufflerMessage), System.Text.Encoding.UTF8, "application/json"));
            Assert.Equal(HttpStatusCode.NoContent, added.StatusCode);
            names.Insert(0, message.Name);
        }

        return names;
    }
}

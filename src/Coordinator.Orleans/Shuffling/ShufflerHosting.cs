using Federated.Coordinator.Storage;
using Federated.Shuffler;
using Federated.Shuffler.Batches;
using Federated.Shuffler.Delivery;

namespace Federated.Coordinator.Orleans.Shuffling;

/// <summary>What a silo of a shuffler's own cluster starts the shuffler with, should it come here.</summary>
/// <param name="store">Shared with the other silos, and with nobody else's: it is the shuffler's operator's.</param>
internal sealed class ShufflerHosting(IStore store, ShufflerOptions options, ShufflerKeys keys, HttpMessageHandler handler, TimeProvider clock) : IDisposable
{
    private readonly HttpClient http = new(handler) { Timeout = TimeSpan.FromMinutes(10), MaxResponseContentBufferSize = 1 << 20 };

    public ShufflerKeys Keys => keys;

    public IRunLog OpenLog(string name) => store.OpenLog($"shuffler.{name}"); // The dot keeps it apart from every run.

    public ShufflerService Start(LogDisk disk) => ShufflerService.Start(
        disk, keys.Signing, new BatchRules(options.MinBatch), new HttpDestination(http, options.Destination, options.Name), clock, TimeSpan.FromSeconds(options.FirstRetrySeconds));

    public void Dispose() => http.Dispose();
}

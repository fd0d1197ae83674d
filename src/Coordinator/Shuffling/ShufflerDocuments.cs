using System.Text.Json;
using Federated.Coordinator.Storage;
using Federated.Privacy;
using Federated.Privacy.Hpke;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Shuffling;

/// <summary>Keys and registered shufflers of a cluster, in the store that its silos share: <c>shuffling/keys</c>, created once by whoever is first, and a document for each shuffler.</summary>
/// <remarks>Whoever reads the store can therefore open reports, as with a single coordinator whoever reads its folder; it learns no more than the coordinator does.</remarks>
internal sealed class ShufflerDocuments : IShufflerRegister
{
    private const string KeysName = "shuffling/keys";
    private const string Folder = "shuffling/shufflers";

    private readonly IDocumentStore documents;

    private ShufflerDocuments(IDocumentStore documents, HpkePrivateKey analyzer, HpkePrivateKey tickets) => (this.documents, Analyzer, Tickets) = (documents, analyzer, tickets);

    public HpkePrivateKey Analyzer { get; }

    public HpkePrivateKey Tickets { get; }

    /// <summary>Opens what the store has; of several silos that find no keys, one makes them for all.</summary>
    /// <exception cref="CoordinatorException">The keys are damaged.</exception>
    public static async ValueTask<ShufflerDocuments> OpenAsync(IDocumentStore documents, CancellationToken cancellation)
    {
        for (;;)
        {
            if (await documents.ReadAsync(KeysName, cancellation).ConfigureAwait(false) is { } bytes)
            {
                try
                {
                    var stored = JsonSerializer.Deserialize(bytes, ShufflingBookJson.Default.Keys)!;
                    return new ShufflerDocuments(documents, HpkePrivateKey.Import(Convert.FromBase64String(stored.Analyzer)), HpkePrivateKey.Import(Convert.FromBase64String(stored.Tickets)));
                }
                catch (Exception e) when (e is JsonException or FormatException or PrivacyException)
                {
                    throw new CoordinatorException($"The store's document {KeysName} is damaged: {e.Message} Restore it; with new keys every shuffler would have to be set up anew.", e);
                }
            }

            using var analyzer = HpkePrivateKey.Generate();
            using var tickets = HpkePrivateKey.Generate();
            var made = new Keys(Convert.ToBase64String(analyzer.Export()), Convert.ToBase64String(tickets.Export()));
            await documents.CreateAsync(KeysName, JsonSerializer.SerializeToUtf8Bytes(made, ShufflingBookJson.Default.Keys), cancellation).ConfigureAwait(false);
        }
    }

    public async ValueTask<ShufflerMessage?> ReadAsync(string name, CancellationToken cancellation)
    {
        if (await documents.ReadAsync($"{Folder}/{name}", cancellation).ConfigureAwait(false) is not { } bytes)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(bytes, ShufflingBookJson.Default.ShufflerMessage);
        }
        catch (JsonException e)
        {
            throw new StorageException($"The store's document {Folder}/{name} is damaged: {e.Message} Register the shuffler again.", e);
        }
    }

    public async ValueTask<IReadOnlyList<ShufflerMessage>> ListAsync(CancellationToken cancellation)
    {
        List<ShufflerMessage> shufflers = [];
        foreach (var name in await documents.ListAsync(Folder, cancellation).ConfigureAwait(false))
        {
            if (await ReadAsync(name, cancellation).ConfigureAwait(false) is { } shuffler)
            {
                shufflers.Add(shuffler);
            }
        }

        return shufflers;
    }

    public ValueTask WriteAsync(ShufflerMessage shuffler, CancellationToken cancellation) =>
        documents.WriteAsync($"{Folder}/{shuffler.Name}", JsonSerializer.SerializeToUtf8Bytes(shuffler, ShufflingBookJson.Default.ShufflerMessage), cancellation);

    public ValueTask RemoveAsync(string name, CancellationToken cancellation) => documents.DeleteAsync($"{Folder}/{name}", cancellation);

    internal sealed record Keys(string Analyzer, string Tickets);
}

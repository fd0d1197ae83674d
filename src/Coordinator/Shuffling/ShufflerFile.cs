using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Federated.Coordinator.Identity;
using Federated.Privacy;
using Federated.Privacy.Hpke;
using Federated.Protocol.Wire;

namespace Federated.Coordinator.Shuffling;

/// <summary>Keys and registered shufflers of a coordinator that is alone: one file, mode 0600, written whole, read when it is opened.</summary>
internal sealed class ShufflerFile : IShufflerRegister
{
    private readonly string path;
    private readonly Lock gate = new();
    private volatile ImmutableSortedDictionary<string, ShufflerMessage> shufflers;

    private ShufflerFile(string path, HpkePrivateKey analyzer, HpkePrivateKey tickets, IEnumerable<ShufflerMessage> registered)
    {
        (this.path, Analyzer, Tickets) = (path, analyzer, tickets);
        shufflers = registered.ToImmutableSortedDictionary(s => s.Name, s => s, StringComparer.Ordinal);
    }

    public HpkePrivateKey Analyzer { get; }

    public HpkePrivateKey Tickets { get; }

    /// <summary>Opens the file; makes it, with new keys, when there is none.</summary>
    /// <exception cref="CoordinatorException">The file is damaged.</exception>
    public static ShufflerFile Open(string path)
    {
        if (!File.Exists(path))
        {
            var made = new ShufflerFile(path, HpkePrivateKey.Generate(), HpkePrivateKey.Generate(), []);
            made.Save(made.shufflers);
            return made;
        }

        try
        {
            var stored = JsonSerializer.Deserialize(File.ReadAllBytes(path), ShufflingBookJson.Default.Stored)!;
            return new ShufflerFile(path, HpkePrivateKey.Import(Convert.FromBase64String(stored.Analyzer)), HpkePrivateKey.Import(Convert.FromBase64String(stored.Tickets)), stored.Shufflers);
        }
        catch (Exception e) when (e is JsonException or FormatException or PrivacyException)
        {
            throw new CoordinatorException($"{path} is damaged: {e.Message} Restore it; with new keys every shuffler would have to be set up anew.", e);
        }
    }

    public ValueTask<ShufflerMessage?> ReadAsync(string name, CancellationToken cancellation) => ValueTask.FromResult(shufflers.GetValueOrDefault(name));

    public ValueTask<IReadOnlyList<ShufflerMessage>> ListAsync(CancellationToken cancellation) => ValueTask.FromResult<IReadOnlyList<ShufflerMessage>>([.. shufflers.Values]);

    public ValueTask WriteAsync(ShufflerMessage shuffler, CancellationToken cancellation) => Change(present => present.SetItem(shuffler.Name, shuffler));

    public ValueTask RemoveAsync(string name, CancellationToken cancellation) => Change(present => present.Remove(name));

    private ValueTask Change(Func<ImmutableSortedDictionary<string, ShufflerMessage>, ImmutableSortedDictionary<string, ShufflerMessage>> change)
    {
        lock (gate)
        {
            var changed = change(shufflers);
            Save(changed);
            shufflers = changed;
        }

        return ValueTask.CompletedTask;
    }

    private void Save(ImmutableSortedDictionary<string, ShufflerMessage> registered) => PrivateFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(
        new Stored(Convert.ToBase64String(Analyzer.Export()), Convert.ToBase64String(Tickets.Export()), [.. registered.Values]), ShufflingBookJson.Default.Stored));

    internal sealed record Stored(string Analyzer, string Tickets, IReadOnlyList<ShufflerMessage> Shufflers);
}

[JsonSerializable(typeof(ShufflerFile.Stored))]
[JsonSerializable(typeof(ShufflerDocuments.Keys))]
[JsonSerializable(typeof(ShufflerMessage))]
internal sealed partial class ShufflingBookJson : JsonSerializerContext;
